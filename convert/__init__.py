"""Conversion stage, build PC only: a Hugging Face folder and a LoRA adapter in, one verified bundle out."""
