"""How good a bundle's words are: likelihood of reference answers, overlap with them, intents, facts, hand-overs."""

from bench.quality.manifest import quality_tables

__all__ = ["quality_tables"]
