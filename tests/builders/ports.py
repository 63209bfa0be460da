"""A port for a server that can't say which one it took."""

import socket
from random import SystemRandom

_BELOW_EPHEMERAL = range(20_000, 32_000)
"""What the system gives to nobody who asks for any port, and to no connection as its own end."""


def free_port() -> int:
    """A port nobody listens on: before its server starts, no test that takes any port can be given it."""
    for port in SystemRandom().sample(_BELOW_EPHEMERAL, 200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port
    raise AssertionError("no free port in 200 tries")
