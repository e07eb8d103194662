"""What was asked, judged and answered: one line a turn, redacted, in a chain in which no line can be changed unseen."""
