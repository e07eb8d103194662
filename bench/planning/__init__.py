"""From what one box was measured to do, what more boxes or an engine behind them would carry."""
