"""Floor 1, the engine: token ids in, token ids out. Knows no HTTP, no chat roles, no customers."""
