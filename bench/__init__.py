"""Measures a running server over HTTP and says how many customers the machine can serve at once."""
