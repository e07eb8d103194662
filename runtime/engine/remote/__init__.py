"""The remote engine: the same face over any OpenAI-compatible server."""
