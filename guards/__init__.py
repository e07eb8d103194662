"""Guards: text in, verdict out. Knows no HTTP, no llama.cpp and no torch; fails closed."""
