"""Hours of mixed load on a server, watched for what only hours show: leaks, drift, errors."""
