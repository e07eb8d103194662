"""The HTTP server around the app: started on any port, stopped in order within five seconds."""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Callable
from types import FrameType

from flask import Flask
from waitress import wasyncore
from waitress.adjustments import Adjustments

from runtime.errors import StartError
from runtime.service.answer import Cut
from runtime.service.channel import ChannelServer
from runtime.service.context import EXTENSION, Service
from runtime.service.options import ServiceOptions

log = logging.getLogger(__name__)

SPARE_THREADS = 8
"""Threads above the answers' cap, so that health and pages answer however many streams are open."""

REFUSED_BODY_BYTES = 1024 * 1024
"""Bodies up to this much over the limit are read before they are refused: the simplest clients can cope with that."""

PROXY_HEADERS = {"x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"}

CUT_WAIT_S = 1.0
FLUSH_WAIT_S = 0.5
POLL_S = 0.25


class Server:
    """One app on one address.

    The socket is bound at once, so ``address`` is true before ``start``; ``port`` 0 takes a free one.

    Raises:
        StartError: the address cannot be used.
    """

    def __init__(self, app: Flask, host: str, port: int) -> None:
        parts: Service = app.extensions[EXTENSION]
        self._answers = parts.answers
        self._grace_s = parts.options.stop_grace_s
        self._map: dict[int, object] = {}
        self._draining = False
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="tellerbox-http", daemon=True)
        if not 0 <= port <= 65535:  # the resolver would take it modulo 65536
            raise StartError(f"{host}:{port}: there is no such port; expected 0 (any free one) to 65535")
        try:
            self._http = ChannelServer(app, map=self._map, adj=_adjustments(parts.options, host, port))
        except (OSError, OverflowError, ValueError) as error:
            raise StartError(
                f"{host}:{port}: cannot listen there ({error}); choose another --host or --port"
            ) from error
        self._http.request_timeout_s = parts.options.request_timeout_s

    @property
    def address(self) -> str:
        """Where it listens, as a URL."""
        host = self._http.effective_host
        return f"http://{f'[{host}]' if ':' in host else host}:{self._http.effective_port}"

    def start(self) -> None:
        """Serve from a thread of its own."""
        self._thread.start()
        log.info("listening on %s", self.address)

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until the server has ended, by ``stop`` or by a failure; False if the time is over."""
        return self._ended.wait(timeout_s)

    def stop(self, grace_s: float | None = None) -> None:
        """Stop accepting; let answers end for a while; cut the rest short, each with its final event; close.

        Args:
            grace_s: seconds that running answers have; None takes the configured ones.
        """
        self._answers.stop_taking()
        self._draining = True
        self._http.pull_trigger()
        if not self._answers.wait_idle(self._grace_s if grace_s is None else grace_s):
            self._answers.cut_all(Cut.SHUTTING_DOWN)
            if not self._answers.wait_idle(CUT_WAIT_S):
                log.warning("answers are still running; their connections are closed")
        self._wait_flushed()
        self._ended.set()
        if self._thread.is_alive():
            self._http.pull_trigger()
            self._thread.join()

    def _loop(self) -> None:
        """Waitress's loop, until the end; the listening socket is closed by the thread that polls it."""
        listening = True
        try:
            while not self._ended.is_set():
                wasyncore.loop(timeout=POLL_S, use_poll=True, map=self._map, count=1)
                if self._draining and listening:
                    listening = False
                    self._http.del_channel(self._map)
                    self._http.socket.close()
                elif self._draining:
                    self._http.maintenance(time.time())
        except Exception:
            log.exception("the HTTP server failed")
        finally:
            self._ended.set()
            self._http.task_dispatcher.shutdown(timeout=FLUSH_WAIT_S)
            wasyncore.close_all(self._map, ignore_all=True)

    def _wait_flushed(self) -> None:
        """Give the last bytes time to leave: every request answered, every buffer empty."""
        end_s = time.monotonic() + FLUSH_WAIT_S
        while time.monotonic() < end_s:
            channels = list(self._http.active_channels.values())
            if not any(channel.requests or channel.total_outbufs_len for channel in channels):
                return
            time.sleep(0.01)


def _adjustments(options: ServiceOptions, host: str, port: int) -> Adjustments:
    """Waitress's settings. Its ``send_bytes`` is 1 by default: every event leaves at once."""
    proxy = {"trusted_proxy": options.trusted_proxy, "trusted_proxy_headers": PROXY_HEADERS, "trusted_proxy_count": 1}
    return Adjustments(
        host=host,
        port=port,
        threads=options.max_answers + SPARE_THREADS,
        ident="tellerbox",
        channel_request_lookahead=1,  # or a disconnect goes unnoticed while an answer is computed
        max_request_body_size=options.max_body_bytes + REFUSED_BODY_BYTES,
        max_request_header_size=64 * 1024,
        inbuf_overflow=128 * 1024,
        connection_limit=options.max_connections,
        channel_timeout=options.idle_timeout_s,
        cleanup_interval=1,
        asyncore_use_poll=True,
        log_socket_errors=False,
        **(proxy if options.trusted_proxy else {}),
    )


def serve(app: Flask, host: str, port: int, on_ready: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT, then stop in order. Call it from the main thread.

    Args:
        app: from ``create_app``.
        host: address to listen on.
        port: 0 takes a free one.
        on_ready: told the URL once connections are accepted.

    Raises:
        StartError: the address cannot be used.
    """
    server = Server(app, host, port)
    stop = threading.Event()

    def on_signal(number: int, frame: FrameType | None) -> None:
        stop.set()

    before = {number: signal.signal(number, on_signal) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        server.start()
        on_ready(server.address)
        while not stop.wait(POLL_S) and not server.wait(0):
            pass
        log.info("stopping")
        server.stop()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
