"""Feedback, stored before it is acknowledged."""
