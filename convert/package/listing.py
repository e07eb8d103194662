"""SHA256SUMS, the list that is signed: every file of the archive but itself and its signature."""

from __future__ import annotations

import re
from collections.abc import Mapping

from convert.package.tape import is_safe

SUMS = "SHA256SUMS"
SIGNATURE = "SHA256SUMS.sig"

_LINE = re.compile(r"(?P<sha256>[0-9a-f]{64})  (?P<name>.+)")


def to_text(digests: Mapping[str, str]) -> str:
    """The list of name -> hex sha256, sorted by name."""
    return "".join(f"{digests[name]}  {name}\n" for name in sorted(digests))


def from_text(text: str) -> dict[str, str]:
    """Inverse of ``to_text``.

    Raises:
        ValueError: a line is malformed, names what no archive holds, stands twice or is out of order.
    """
    digests: dict[str, str] = {}
    for line in text.splitlines():
        match = _LINE.fullmatch(line)
        if not match:
            raise ValueError(f"{SUMS} holds the line {line[:80]!r}; expected a sha256, two spaces and a name")
        name = match["name"]
        if not is_safe(name) or name in (SUMS, SIGNATURE):
            raise ValueError(f"{SUMS} lists {name!r}, which may not be a file of an archive")
        digests[name] = match["sha256"]
    if to_text(digests) != text:
        raise ValueError(f"{SUMS} lists a file twice or out of order")
    return digests
