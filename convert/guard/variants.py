"""Detoxify's five published checkpoints, and a guard's checkpoint and tokenizer by a file's or a variant's name.

Addresses: ``MODEL_URLS`` of https://github.com/unitaryai/detoxify, ``detoxify/detoxify.py``. A download lies where
Detoxify itself keeps it (torch's hub folder), so either finds the other's. The digits in a published file's name are of
the file before it was saved under that name: they are no digest of it, so its sha256 is recorded and can be asked for.
"""

from __future__ import annotations

import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path

from convert.errors import InputError
from convert.files import atomic_output
from convert.progress import Progress, silent
from models.bundle import sha256_of

_RELEASES = "https://github.com/unitaryai/detoxify/releases/download"
_CHUNK_BYTES = 1 << 20

#: Seconds without an answer after which the host is taken for unreachable.
TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True)
class Variant:
    """A published checkpoint: its address, and the hub id of the model whose tokenizer it takes."""

    url: str
    tokenizer: str

    @property
    def file(self) -> str:
        """The checkpoint's file name."""
        return self.url.rpartition("/")[2]


#: Name as in ``Detoxify(name)`` -> checkpoint.
VARIANTS: Mapping[str, Variant] = {
    "original": Variant(f"{_RELEASES}/v0.1-alpha/toxic_original-c1212f89.ckpt", "google-bert/bert-base-uncased"),
    "unbiased": Variant(f"{_RELEASES}/v0.3-alpha/toxic_debiased-c7548aa0.ckpt", "FacebookAI/roberta-base"),
    "multilingual": Variant(
        f"{_RELEASES}/v0.4-alpha/multilingual_debiased-0b549669.ckpt", "FacebookAI/xlm-roberta-base"
    ),
    "original-small": Variant(f"{_RELEASES}/v0.1.2/original-albert-0e1d6498.ckpt", "albert/albert-base-v2"),
    "unbiased-small": Variant(f"{_RELEASES}/v0.1.2/unbiased-albert-c8519128.ckpt", "albert/albert-base-v2"),
}


@dataclass(frozen=True, slots=True)
class GuardSource:
    """What a guard is exported from, all of it on this machine.

    Attributes:
        checkpoint: the ``.ckpt`` file.
        tokenizer: a tokenizer's file, or a folder that holds one.
        origin: the checkpoint's address, or its file name if it was given as a file.
    """

    checkpoint: Path
    tokenizer: Path
    origin: str


def find_source(
    name: str,
    tokenizer: Path | None = None,
    progress: Progress = silent,
    *,
    cache: Path | None = None,
    variants: Mapping[str, Variant] = VARIANTS,
) -> GuardSource:
    """Find a checkpoint and its tokenizer, downloading what is not here.

    Args:
        name: a file, or a key of ``variants``.
        tokenizer: where it lies; None looks beside a file, and on the model hub for a variant.
        progress: told how much of a download is there.
        cache: where downloads lie; None takes torch's hub folder.
        variants: what can be downloaded.

    Raises:
        InputError: there is no such file or variant, or it cannot be downloaded.
    """
    path = Path(name)
    if path.is_file():
        return GuardSource(path, tokenizer or path.parent, path.name)
    if name not in variants:
        raise InputError(
            f"{name}: no such file, and no variant of Detoxify; expected a checkpoint (.ckpt) or one of "
            f"{', '.join(variants)}"
        )
    variant = variants[name]
    checkpoint = (cache or _hub_folder()) / variant.file
    if not checkpoint.is_file():
        _download(name, variant.url, checkpoint, progress)
    return GuardSource(checkpoint, tokenizer or _hub_tokenizer(name, variant.tokenizer), variant.url)


def require_sha256(path: Path, expected: str | None) -> str:
    """The file's sha256.

    Raises:
        InputError: it is not the one expected.
    """
    found = sha256_of(path)
    if expected is not None and found != expected.lower():
        raise InputError(f"{path}: sha256 {found}; expected {expected}; delete it and copy or download it again")
    return found


def _hub_folder() -> Path:
    import torch

    return Path(torch.hub.get_dir()) / "checkpoints"


def _download(name: str, url: str, target: Path, progress: Progress) -> None:
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_S) as answer, atomic_output(target) as partial:
            total = int(answer.headers.get("Content-Length") or 0)
            done = 0
            with partial.open("wb") as file:
                while chunk := answer.read(_CHUNK_BYTES):
                    file.write(chunk)
                    done += len(chunk)
                    progress(f"download {name}", done, max(done, total))
            if done < total:
                raise OSError(f"the connection ended after {done} of {total} bytes")
    except (OSError, HTTPException) as error:  # URLError and timeouts are OSErrors
        raise InputError(
            f"{name}: {url} cannot be downloaded ({error}); on a machine with internet run `curl -LO {url}`, copy the "
            "file here and name it instead"
        ) from error


def _hub_tokenizer(name: str, repository: str) -> Path:
    from huggingface_hub import hf_hub_download

    try:
        return Path(hf_hub_download(repository, "tokenizer.json"))
    except Exception as error:  # the client raises its own, the HTTP library's and the socket's errors
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise InputError(
            f"{name}: no model hub gave the tokenizer of {repository} ({reason}); on a machine with internet run "
            f"`hf download {repository} tokenizer.json --local-dir DIR`, copy DIR here and pass --tokenizer DIR"
        ) from error
