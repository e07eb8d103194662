"""Ed25519 keys in PEM files, as OpenSSL reads them too: made once, the private one readable by its owner only.

Source: RFC 8032 (signatures), RFC 8410 (their PEM form).
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from convert.errors import InputError

SIGNATURE_BYTES = 64


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A key pair's files and the public one's fingerprint, to be compared over another channel."""

    private: Path
    public: Path
    fingerprint: str


def make_keys(private: Path) -> KeyPair:
    """Write ``private`` (mode 0600) and ``private`` + ``.pub``.

    Raises:
        InputError: one of them is there already; a key is never overwritten.
    """
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    public = private.with_name(private.name + ".pub")
    for path in (private, public):
        if path.exists():
            raise InputError(f"{path}: is there already; keys are not overwritten; name another file")
    key = Ed25519PrivateKey.generate()
    private.parent.mkdir(parents=True, exist_ok=True)
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with os.fdopen(os.open(private, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(secret)
    public.write_bytes(
        key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    return KeyPair(private, public, fingerprint(public))


def sign(message: bytes, private: Path) -> bytes:
    """The signature, SIGNATURE_BYTES long; the same message and key always give the same one.

    Raises:
        InputError: no such file, no Ed25519 private key, or others may read it.
    """
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    data = _read(private, "a private key")
    if private.stat().st_mode & 0o077:
        raise InputError(f"{private}: others than its owner may read it; expected mode 0600; run chmod 600 {private}")
    try:
        key = load_pem_private_key(data, None)
    except (ValueError, TypeError) as error:
        raise InputError(f"{private}: not a private key ({error}); make one with `convert keygen`") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise InputError(f"{private}: not an Ed25519 key; make one with `convert keygen`")
    return key.sign(message)


def is_signed(message: bytes, signature: bytes, public: Path) -> bool:
    """Whether the signature is the public key's.

    Raises:
        InputError: no such file, or no Ed25519 public key.
    """
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(_raw(public)).verify(signature, message)
    except InvalidSignature:
        return False
    return True


def fingerprint(public: Path) -> str:
    """Hex sha256 of the raw public key. Raises as ``is_signed`` does."""
    return hashlib.sha256(_raw(public)).hexdigest()


def _raw(public: Path) -> bytes:
    """The key's 32 bytes."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        key = load_pem_public_key(_read(public, "a public key"))
    except ValueError as error:
        raise InputError(f"{public}: not a public key ({error}); pass the .pub file of `convert keygen`") from error
    if not isinstance(key, Ed25519PublicKey):
        raise InputError(f"{public}: not an Ed25519 key; pass the .pub file of `convert keygen`")
    return key.public_bytes_raw()


def _read(path: Path, what: str) -> bytes:
    if not path.is_file():
        raise InputError(f"{path}: no such file; expected {what}; make a pair with `convert keygen`")
    return path.read_bytes()
