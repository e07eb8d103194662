"""What can go wrong while measuring.

BenchError
├── UsageError            an option or an address is malformed (exit code 2)
├── ResultFileError       a stored result is not what this version reads (exit code 2)
├── ServerStartError      the server that bench starts did not come up (exit code 2)
└── TargetError           the target fell short (exit code 1)
    ├── ConnectError      nobody listens there (exit code 2 if it is so from the beginning)
    ├── BrokenStreamError the connection ended before the answer did
    ├── StalledError      nothing useful arrived within the limit
    ├── ProtocolError     it answers, but not in OpenAI's format
    └── RefusedError      an HTTP status other than 200, also a redirect

Every message names the value, what was expected and, where there is one, the remedy.
"""

from __future__ import annotations


class BenchError(Exception):
    """Base of all bench errors."""

    exit_code = 2


class UsageError(BenchError):
    """An option or an address is malformed."""


class ResultFileError(BenchError):
    """A result file is missing, malformed, of another schema, or not comparable."""


class ServerStartError(BenchError):
    """The server that bench starts did not become ready."""


class TargetError(BenchError):
    """A target did not give a complete answer in time.

    Attributes:
        kind: a short fixed name for tables and counts.
    """

    exit_code = 1
    kind = "target"


class ConnectError(TargetError):
    """No connection could be made."""

    exit_code = 2
    kind = "connect"


class BrokenStreamError(TargetError):
    """The connection ended in the middle of an answer."""

    kind = "broken"


class StalledError(TargetError):
    """Nothing useful arrived within the limit."""

    kind = "stalled"


class ProtocolError(TargetError):
    """What arrived is not HTTP, server-sent events or OpenAI's JSON."""

    kind = "protocol"


class RefusedError(TargetError):
    """The target answered with an HTTP status other than 200.

    Attributes:
        status: the HTTP status.
        retry_after_s: the Retry-After header in seconds; 0 if there was none.
    """

    kind = "refused"

    def __init__(self, status: int, message: str, retry_after_s: float = 0.0) -> None:
        super().__init__(f"HTTP {status}: {message}")
        self.status = status
        self.retry_after_s = retry_after_s

    @property
    def is_overload(self) -> bool:
        """Whether the target is alive but busy (429, 503), so that asking again later makes sense."""
        return self.status in (429, 503)
