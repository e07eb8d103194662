"""Floor 3, the service: HTTP in, HTTP out. No logic that a command line would miss."""
