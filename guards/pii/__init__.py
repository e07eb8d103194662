"""Personal data: found, hidden behind placeholders, put back, and kept out of answers."""
