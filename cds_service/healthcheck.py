"""What a container's health check runs: asks the service beside it, with the standard library only, and exits 0 or 1.

`python -m cds_service.healthcheck http://127.0.0.1:8000/livez`. It is started every few seconds, so it imports neither
the service nor the command line. It says one line: the state the service told, or why there is none.
"""

import http.client
import sys
from urllib.parse import urlsplit

_SECONDS = 4.0


def ask(url: str) -> tuple[bool, str]:
    """Whether the address answers 200 within four seconds, and what it said. No proxy and no redirect is followed."""
    try:
        parts = urlsplit(url)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=_SECONDS)
        connection.request("GET", parts.path)
        answer = connection.getresponse()
        told = answer.read(200).decode("ascii", "replace")
    except (OSError, ValueError, http.client.HTTPException) as error:
        return False, f"no answer: {type(error).__name__}"
    return answer.status == http.client.OK, f"{answer.status} {told}"


if __name__ == "__main__":
    healthy, state = ask(sys.argv[1])
    sys.stdout.write(state + "\n")
    raise SystemExit(not healthy)
