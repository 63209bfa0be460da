"""Who calls, proven by a signed token: trusted clients, their keys, replay. Knows no Flask and no medicine."""
