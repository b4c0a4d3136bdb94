"""A TCP server for checks: accepts on every address and says nothing. `python listener.py PORT`"""

from __future__ import annotations

import socket
import sys


def main() -> None:
    """Serve for ever."""
    with socket.create_server(("", int(sys.argv[1]))) as server:
        print("listening", flush=True)
        connections = []
        while True:
            connections.append(server.accept())


if __name__ == "__main__":
    main()
