"""Server-sent events out of bytes, however they were cut (WHATWG HTML 9.2.6, "Interpreting an event stream")."""

from __future__ import annotations

from bench.errors import ProtocolError

MAX_EVENT_BYTES = 1 << 20


class EventParser:
    """Incremental parser: feed bytes, get the ``data`` of the events that are now complete.

    Only ``data`` matters to OpenAI streams; comments, ``event``, ``id`` and ``retry`` lines are skipped.
    """

    def __init__(self) -> None:
        self._rest = bytearray()
        self._data: list[bytes] = []
        self._data_bytes = 0
        self._after_cr = False

    def feed(self, chunk: bytes) -> list[str]:
        """Data of the events that ended within ``chunk``, in order.

        Raises:
            ProtocolError: an event over 1 MiB, or data that is not UTF-8.
        """
        events: list[str] = []
        for line in self._lines(chunk):
            if line:
                self._take(line)
            elif self._data:
                events.append(_text(b"\n".join(self._data)))
                self._data, self._data_bytes = [], 0
        return events

    def _lines(self, chunk: bytes) -> list[bytes]:
        body = chunk.removeprefix(b"\n") if self._after_cr else chunk  # the second half of a CR LF that was cut apart
        if chunk:
            self._after_cr = chunk.endswith(b"\r")
        first, *others = body.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        self._rest += first
        self._limit(len(self._rest))
        if not others:
            return []
        lines = [bytes(self._rest), *others[:-1]]
        self._rest = bytearray(others[-1])
        return lines

    def _take(self, line: bytes) -> None:
        name, _, value = line.partition(b":")
        if name != b"data":
            return
        self._data.append(value.removeprefix(b" "))
        self._data_bytes += len(value)
        self._limit(self._data_bytes)

    def _limit(self, size: int) -> None:
        if size > MAX_EVENT_BYTES:
            raise ProtocolError(f"an event of over {MAX_EVENT_BYTES} bytes without an end; expected server-sent events")


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ProtocolError(f"an event that is not UTF-8 ({error}); expected server-sent events") from error
