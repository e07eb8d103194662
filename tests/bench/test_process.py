"""Servers as child processes: found, waited for, measured, stopped; and a clear word when they do not come up."""

from __future__ import annotations

import os
import sys
import textwrap
import time
from pathlib import Path

import psutil
import pytest

from bench.errors import ServerStartError
from bench.process import serve_command, usage_of

SERVER = """
    import http.server, sys, time
    held = bytearray(b"x") * (40 << 20)
    class Handler(http.server.BaseHTTPRequestHandler):
        began = time.monotonic()
        def do_GET(self):
            self.send_response(200 if time.monotonic() - self.began > 0.3 else 503)
            self.end_headers()
        def log_message(self, *args): pass
    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    print("starting up")
    print(f"serving on http://127.0.0.1:{server.server_address[1]}", flush=True)
    print("more words on standard output " * 10_000, flush=True)
    server.serve_forever()
"""


def script(folder: Path, text: str) -> list[str]:
    path = folder / "server.py"
    path.write_text(textwrap.dedent(text))
    return [sys.executable, str(path)]


def test_server_is_started_measured_and_stopped(tmp_path: Path) -> None:
    with serve_command(script(tmp_path, SERVER), ready_s=20.0) as server:
        assert server.ready_s > 0.3
        usage = usage_of(server.pid)
        assert usage is not None
        assert usage.peak_rss_bytes > 40 << 20
        assert usage.cpu_s > 0.0
    assert not psutil.pid_exists(server.pid)
    assert usage_of(server.pid) is None


def test_server_is_stopped_when_the_measurement_fails(tmp_path: Path) -> None:
    pid = 0
    with pytest.raises(RuntimeError, match="mine"), serve_command(script(tmp_path, SERVER), ready_s=20.0) as server:
        pid = server.pid
        raise RuntimeError("mine")
    assert not psutil.pid_exists(pid)


def test_server_that_ends_says_why(tmp_path: Path) -> None:
    command = script(tmp_path, "import sys; sys.exit('no bundle there')")
    with (
        pytest.raises(ServerStartError, match=r"exit code 1 before it was ready; .*no bundle there"),
        serve_command(command),
    ):
        pass


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("import time; time.sleep(60)", "printed no address in time"),
        ("import time; print('http://127.0.0.1:9', flush=True); time.sleep(60)", "was not ready in time"),
    ],
)
def test_server_that_never_comes_up(tmp_path: Path, text: str, says: str) -> None:
    began_s = time.perf_counter()
    with pytest.raises(ServerStartError, match=says), serve_command(script(tmp_path, text), ready_s=0.6):
        pass
    assert time.perf_counter() - began_s < 10.0


def test_usage_of_this_process() -> None:
    usage = usage_of(os.getpid())
    assert usage is not None
    assert usage.peak_rss_bytes >= psutil.Process().memory_info().rss * 0.9
