"""What an answer must not hold: template marks, the system prompt, canaries, secrets, other sessions' placeholders."""
