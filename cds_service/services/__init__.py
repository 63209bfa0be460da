"""What we offer: the registry of services, the gathering of their data, the composing of their cards."""
