"""Prompt injection and jailbreaks: what people write to make the assistant forget whose assistant it is."""
