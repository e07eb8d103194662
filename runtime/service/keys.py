"""API keys: who may call, and what for. Only hashes are kept in memory."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from runtime.errors import StartError

_LINE = re.compile(r"(?P<name>[\w.-]{1,64})\s+(?P<role>\w+)\s+(?P<secret>\S{16,256})")


class Access(StrEnum):
    """What a key opens: ``user`` the answers, ``admin`` also the metrics."""

    USER = "user"
    ADMIN = "admin"

    def includes(self, needed: Access) -> bool:
        """Whether this role may do what ``needed`` is asked for."""
        return self is Access.ADMIN or self is needed


@dataclass(frozen=True, slots=True)
class ApiKey:
    """One caller.

    Attributes:
        name: shown in logs and used for fairness; not secret.
        access: what the key opens.
        secret_sha256: of the key itself, 32 bytes.
    """

    name: str
    access: Access
    secret_sha256: bytes

    @classmethod
    def of(cls, name: str, access: Access, secret: str) -> ApiKey:
        """A key from its secret in the clear."""
        return cls(name, access, _digest(secret))


def find_key(keys: Iterable[ApiKey], secret: str) -> ApiKey | None:
    """The key with this secret. Every key is compared, in constant time, so that timing tells nothing."""
    digest = _digest(secret)
    found = None
    for key in keys:
        if hmac.compare_digest(key.secret_sha256, digest):
            found = key
    return found


def load_keys(path: Path) -> tuple[ApiKey, ...]:
    """Read a key file: one ``name role secret`` a line; ``#`` begins a comment line.

    Raises:
        StartError: the file cannot be read or a line is malformed; the secret is not repeated in the message.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise StartError(f"{path}: cannot be read ({error}); expected a text file of API keys") from error
    keys: list[ApiKey] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = _LINE.fullmatch(line.strip())
        if match is None or match["role"] not in list(Access):
            raise StartError(
                f"{path}: line {number} is malformed; expected `name role secret` with role user or admin and a secret "
                "of 16 to 256 characters"
            )
        keys.append(ApiKey.of(match["name"], Access(match["role"]), match["secret"]))
    if not keys:
        raise StartError(f"{path}: holds no key; add a line `name role secret` or leave the option out")
    return tuple(keys)


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).digest()
