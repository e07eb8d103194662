"""How good the guards are, measured on labelled texts."""
