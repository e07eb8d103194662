"""The bundle contract: what a model folder holds and how it is verified. Imports nothing of ours."""
