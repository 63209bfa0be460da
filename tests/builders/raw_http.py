"""One HTTP exchange over a raw socket, so that every byte sent is a test's."""

import socket
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True)
class RawAnswer:
    """What came back until the server closed: the first answer's status, head and body, and how many answers."""

    status: int
    head: str
    body: bytes
    answers: int


def exchange(url: str, *parts: bytes, end: bool = True, timeout: float = 30) -> RawAnswer:
    """Send the parts, say that no more comes (unless `end` is false), and read until the server closes.

    Raises:
        AssertionError: it closed without an answer.
    """
    address = urlsplit(url)
    with socket.create_connection((str(address.hostname), address.port or 0), timeout=timeout) as connection:
        came = bytearray()
        try:
            for part in parts:
                connection.sendall(part)
            if end:
                connection.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # refused before all of it was sent; the answer is there
        try:
            while chunk := connection.recv(65536):
                came += chunk
        except ConnectionResetError:
            assert came, "reset without an answer"
    assert came, "closed without an answer"
    head, _, body = bytes(came).partition(b"\r\n\r\n")
    return RawAnswer(int(head.split(b" ", 2)[1]), head.decode("latin-1"), body, came.count(b"HTTP/1.1 "))
