"""Fine-tuning on question and answer pairs, and what it is measured by."""
