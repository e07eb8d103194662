"""The links of the chain: a line is canonical JSON that names the line before it, sealed with HMAC-SHA256 (RFC 2104).

``{"at":…,"data":{…},"kind":"turn","prev":"<mac of the line before>","seq":12,"mac":"<64 hex digits>"}``: the mac covers
everything before it, so also the previous mac, and with it every line there ever was. A line can be judged by itself
(``genuine``: written with the key), and in its place (``prev`` and ``seq`` follow those of the line before).
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass

#: What stands for the previous mac in the very first line.
GENESIS = "0" * 64
#: Kinds of lines: the first of a file, and a turn.
FILE, TURN = "file", "turn"

_MARK = b',"mac":"'
_END = b'"}'
_SEAL_BYTES = len(_MARK) + 64 + len(_END)
_NAME_DIGITS = 16


@dataclass(frozen=True, slots=True)
class Link:
    """A genuine line.

    Attributes:
        kind: ``file`` or ``turn``.
        seq: its number, from 1, over all files.
        prev: mac of the line before.
        mac: its own.
        at: when it was written, in Unix seconds.
        data: what it says.
    """

    kind: str
    seq: int
    prev: str
    mac: str
    at: float
    data: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Head:
    """The last line that was written, as the head file keeps it: what shows that the end of the log is missing.

    Attributes:
        file: number of its file.
        seq: its number.
        mac: its mac.
    """

    file: int
    seq: int
    mac: str


def canonical(value: object) -> bytes:
    """JSON with sorted keys and without blanks, in UTF-8; a lone surrogate is written as its escape.

    Raises:
        ValueError: a number that is not finite.
        TypeError: something that JSON has no word for.
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))
    return text.encode("utf-8", "backslashreplace")


def seal(key: bytes, link: Link) -> tuple[bytes, str]:
    """The line of a link, with its line end, and its mac; the link's own ``mac`` is ignored."""
    body = canonical(
        {"at": round(link.at, 3), "data": link.data, "kind": link.kind, "prev": link.prev, "seq": link.seq}
    )
    mac = _mac(key, b"line", body)
    return body[:-1] + _MARK + mac.encode("ascii") + _END + b"\n", mac


def opened(key: bytes, line: bytes) -> Link | None:
    """The link in a line without its line end; None if it was not written with this key, or is not what was written."""
    body, mark, mac, end = line[:-_SEAL_BYTES] + b"}", line[-_SEAL_BYTES:-66], line[-66:-2], line[-2:]
    if mark != _MARK or end != _END or not hmac.compare_digest(_mac(key, b"line", body).encode("ascii"), mac):
        return None
    try:
        row = json.loads(body)
        return Link(row["kind"], row["seq"], row["prev"], mac.decode("ascii"), row["at"], row["data"])
    except (ValueError, KeyError, TypeError):  # written with the key, but by another version
        return None


def seal_head(key: bytes, head: Head) -> bytes:
    """The content of the head file; always as long, so that it can be overwritten in place."""
    body = f'{{"file":"{head.file:010d}","line":"{head.mac}","seq":"{head.seq:016d}"'.encode("ascii")
    return body + _MARK + _mac(key, b"head", body).encode("ascii") + _END + b"\n"


def opened_head(key: bytes, content: bytes) -> Head | None:
    """The head in a head file's content; None if it was not written with this key."""
    try:
        row = json.loads(content)
        head = Head(int(row["file"]), int(row["seq"]), str(row["line"]))
    except (ValueError, KeyError, TypeError):
        return None
    return head if hmac.compare_digest(seal_head(key, head), content) else None


def pseudonym(key: bytes, name: str) -> str:
    """What stands for a name in the log: the same for the same name, and not to be guessed without the key."""
    return _mac(key, b"name", name.encode("utf-8", "backslashreplace"))[:_NAME_DIGITS] if name else ""


def _mac(key: bytes, purpose: bytes, content: bytes) -> str:
    """The purpose keeps a seal of one kind from passing for another."""
    return hmac.new(key, purpose + b"\0" + content, hashlib.sha256).hexdigest()
