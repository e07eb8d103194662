"""A model hub on this machine: the few HTTP answers that huggingface_hub's client asks for, served from a folder."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def _handler(repo: str, folder: Path) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            self._answer(body=False)

        def do_GET(self) -> None:
            self._answer(body=True)

        def _answer(self, *, body: bool) -> None:
            path = self.path.partition("?")[0]
            resolve = f"/{repo}/resolve/{COMMIT}/"
            files = sorted(folder.iterdir())
            if path.startswith(f"/api/models/{repo}/tree/"):
                rows = [{"type": "file", "path": f.name, "size": f.stat().st_size, "oid": "0" * 40} for f in files]
                data = json.dumps(rows).encode()
            elif path.startswith(f"/api/models/{repo}"):
                siblings = [{"rfilename": file.name} for file in files]
                data = json.dumps({"id": repo, "sha": COMMIT, "siblings": siblings}).encode()
            elif path.startswith(resolve) and (folder / path.removeprefix(resolve)).is_file():
                data = (folder / path.removeprefix(resolve)).read_bytes()
            else:
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.send_header("ETag", f'"{hashlib.sha256(data).hexdigest()}"')
            self.send_header("X-Repo-Commit", COMMIT)
            self.end_headers()
            if body:
                self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:
            pass

    return Handler


@contextmanager
def serve_hub(repo: str, folder: Path) -> Iterator[str]:
    """Serve ``folder`` as the repository ``repo``; gives the hub's address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(repo, folder))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
