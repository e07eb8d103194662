"""A file of attacks, played against a running server, judged and reported."""
