"""A real redis-server on loopback, for as long as a test needs it."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from redis import Redis
from redis.backoff import ConstantBackoff
from redis.exceptions import ConnectionError as NotYetListening
from redis.retry import Retry

from tests.builders.ports import free_port


@dataclass
class RedisServer:
    """A running server."""

    port: int
    process: "subprocess.Popen[bytes]"

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def stop(self) -> None:
        """End it, as a crash would."""
        self.process.kill()
        self.process.wait(10)


@contextmanager
def redis_server(folder: Path, port: int | None = None) -> Iterator[RedisServer]:
    """Serve on a free port (or this one), keeping nothing on disk, until left."""
    port = port or free_port()
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    server = RedisServer(port, subprocess.Popen(command, stdout=subprocess.DEVNULL))
    try:
        patient = Retry(ConstantBackoff(0.02), 500, supported_errors=(NotYetListening,))
        Redis(port=port, retry=patient).ping()
        yield server
    finally:
        server.stop()
