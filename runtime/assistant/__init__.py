"""Floor 2, the assistant: a message in, an answer out. Knows no HTTP."""
