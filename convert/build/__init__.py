"""A whole build: its options, its plan, its stages and the bundle that comes out."""
