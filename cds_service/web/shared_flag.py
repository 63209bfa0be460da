"""A yes or no that processes share. Knows nobody."""

from mmap import mmap


class SharedFlag:
    """No until it is raised, in whichever process; made before these processes fork from one another."""

    def __init__(self) -> None:
        self._byte = mmap(-1, 1)

    def put_up(self) -> None:
        """Yes from now on."""
        self._byte[0] = 1

    def is_up(self) -> bool:
        """Whether any process raised it."""
        return self._byte[0] == 1
