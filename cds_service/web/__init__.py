"""The Flask edge: routes, errors, security, one log line a call."""
