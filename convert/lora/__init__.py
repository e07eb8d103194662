"""A LoRA adapter of PEFT: read, checked against its base, merged while the weights stream by."""
