"""The subcommands of ``python -m bench``, a file for each group, each with a table ``COMMANDS``."""
