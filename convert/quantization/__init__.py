"""A float GGUF to a quantised one, by libllama in a child process."""
