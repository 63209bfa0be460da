"""What was learned from feedback: pure counts and their rates, and how they are told. Knows no SQL and no clock."""
