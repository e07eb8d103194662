"""Hugging Face folder to GGUF, byte for byte what llama.cpp's own converter writes, without torch."""
