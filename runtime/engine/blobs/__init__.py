"""KV states that were spilled: memory first, a folder behind it."""
