"""A Hugging Face folder as it lies on disk: its JSON files and its weights, read without torch."""
