"""The engine against other engines' servers: the same texts, the same model file, the same machine, in turns."""
