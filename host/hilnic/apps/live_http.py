# SPDX-License-Identifier: Apache-2.0
"""The two ends of `hilnic live`'s download: `serve ADDRESS FILE` and `fetch URL`, each a process of its own.

The server prints its port, then a line per request on stderr; the client prints octets, SHA-256 and seconds as JSON.
Its receive window is small, so that a slow simulation queues little and TCP's estimate of the round trip stays true.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import socket
import sys
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import urlsplit

WINDOW = 24 * 1024


class _Server(HTTPServer):
    body: bytes

    def server_bind(self) -> None:
        """Without the look-up of the host's name: there is no name service in a namespace."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]


class _File(BaseHTTPRequestHandler):
    """Answers every GET with the file."""

    def do_GET(self) -> None:
        """One file, whatever is asked for."""
        server = self.server
        assert isinstance(server, _Server)
        self.send_response(200)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Content-Length", str(len(server.body)))
        self.end_headers()
        self.wfile.write(server.body)


def serve(address: str, path: Path) -> None:
    """Serve until killed."""
    server = _Server((address, 0), _File)
    server.body = path.read_bytes()
    sys.stdout.write(f"{server.server_port}\n")
    sys.stdout.flush()
    server.serve_forever()


def _connect(address: tuple[str, int], timeout: float, source: object = None) -> socket.socket:
    """As socket.create_connection, with a small receive window from the first segment on."""
    del source
    found = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    found.settimeout(timeout)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, WINDOW)
    found.connect(address)
    return found


def fetch(url: str, timeout: float) -> dict[str, object]:
    """Download; octets, digest and seconds."""
    parts = urlsplit(url)
    assert parts.hostname is not None
    started = time.monotonic()
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=timeout)
    connection._create_connection = _connect  # type: ignore[attr-defined]
    connection.request("GET", parts.path or "/")
    digest, octets = hashlib.sha256(), 0
    answer = connection.getresponse()
    while block := answer.read(16384):
        digest.update(block)
        octets += len(block)
    return {
        "status": answer.status,
        "octets": octets,
        "sha256": digest.hexdigest(),
        "seconds": time.monotonic() - started,
    }


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(sys.argv[2], Path(sys.argv[3]))
    else:
        sys.stdout.write(json.dumps(fetch(sys.argv[2], float(sys.argv[3]))) + "\n")
