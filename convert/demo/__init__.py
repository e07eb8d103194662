"""The recipe behind models/demo: a small Llama trained from scratch, its adapter and its guard, from public data."""
