"""A small real chat server that can be told to leak: what a soak has to find.

``python -m tests.bench.leaky none|memory|descriptors``
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PIECES = 3
LEAK_EVERY_S = 0.02
LEAK_BYTES = 400_000

kept: list[object] = []


class Handler(BaseHTTPRequestHandler):
    """Answers ``/v1/models``, ``/readyz`` and streamed chats of ``PIECES`` pieces."""

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        self._send("application/json", json.dumps({"data": [{"id": "leaky"}]}).encode())

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        events = [{"choices": [{"index": 0, "delta": {"content": "word "}}]}] * PIECES
        events.append({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
        lines = [f"data: {json.dumps(one)}\n\n" for one in events]
        self._send("text/event-stream", "".join([*lines, "data: [DONE]\n\n"]).encode())

    def _send(self, kind: str, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def leak(what: str) -> None:
    while True:
        time.sleep(LEAK_EVERY_S)
        kept.append(b"x" * LEAK_BYTES if what == "memory" else os.open(os.devnull, os.O_RDONLY))


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if sys.argv[1] != "none":
        threading.Thread(target=leak, args=(sys.argv[1],), daemon=True).start()
    sys.stdout.write(f"http://127.0.0.1:{server.server_address[1]}\n")
    sys.stdout.flush()
    server.serve_forever()
