"""What each subcommand is: its options and what it does. Heavy libraries load only in the command that needs them."""
