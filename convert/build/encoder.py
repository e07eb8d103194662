"""The bundle's sentence encoder: taken from a folder that has one ready, or exported from its own folder."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from convert.build.config import RunConfig
from convert.build.stages import digests
from convert.checkpoint.jsonfile import read_json
from convert.embed.source import read_encoder
from convert.errors import InputError
from convert.files import atomic_folder, write_json
from convert.onnx.tokenizer import open_tokenizer
from convert.progress import Progress
from models.bundle import open_bundle
from models.manifest import EMBED, EMBED_TOKENIZER, MANIFEST

#: What was measured of an encoder, beside its two files.
EMBED_JSON = "embed.json"

EMBED_FILES = (EMBED, EMBED_TOKENIZER, EMBED_JSON)

#: What a ready encoder must be able to read.
_PROBE = "Where is my parcel?"


def look_at_encoder(folder: Path) -> None:
    """Refuse what is neither a ready encoder nor one to export.

    Raises:
        InputError: names what is missing or malformed.
        UnsupportedError: an encoder that cannot be exported.
        BundleError: the bundle does not verify.
    """
    if not _is_ready(folder):
        read_encoder(folder)
        return
    if not (folder / EMBED_TOKENIZER).is_file():
        raise InputError(f"{folder / EMBED_TOKENIZER}: no such file; expected the tokenizer of {EMBED}; copy both")
    open_tokenizer(folder / EMBED_TOKENIZER)
    _known(folder)


def refuse_second_encoder(config: RunConfig) -> None:
    """Raise if an encoder is also among the extras.

    Raises:
        InputError: it is.
    """
    for path in config.extras:
        if config.embed is not None and path.name in EMBED_FILES:
            raise InputError(f"{path}: given together with --embed {config.embed}; expected one encoder; leave one out")


def embed_sources(folder: Path) -> dict[str, object]:
    """Digests of everything that decides about the exported files."""
    if _is_ready(folder):
        return {"ready": digests([folder / EMBED, folder / EMBED_TOKENIZER]), "known": _known(folder)}
    files = sorted(path for path in folder.rglob("*") if path.suffix in (".json", ".txt", ".safetensors"))
    names = [str(path.relative_to(folder)) for path in files]
    return {"folder": {name: digests([path])[path.name] for name, path in zip(names, files, strict=True)}}


def take_encoder(source: Path, out: Path, progress: Progress) -> None:
    """Write the folder ``out`` with EMBED_FILES.

    Raises:
        InputError: the encoder is damaged.
        UnsupportedError: it cannot be exported.
        CheckError: the export differs too much from the original.
    """
    if not _is_ready(source):
        from convert.embed.export import export_encoder  # torch loads only when an encoder is exported

        export_encoder(source, out, progress=progress)
        return
    _try(source)
    with atomic_folder(out) as folder:
        for name in (EMBED, EMBED_TOKENIZER):
            shutil.copyfile(source / name, folder / name)
        write_json(folder / EMBED_JSON, _known(source))


def with_encoder(config: RunConfig, folder: Path) -> RunConfig:
    """The same options with the encoder of ``folder`` among the files to carry, if there is to be one."""
    if config.embed is None:
        return config
    return replace(config, embed=None, extras=(*config.extras, folder / EMBED, folder / EMBED_TOKENIZER))


def _is_ready(folder: Path) -> bool:
    return (folder / EMBED).is_file()


def _known(folder: Path) -> Mapping[str, object]:
    """What was measured of a ready encoder; empty if that is not known."""
    if (folder / MANIFEST).is_file():
        found = open_bundle(folder).manifest.checks.get("embed", {})
        return found if isinstance(found, Mapping) else {}
    return read_json(folder / EMBED_JSON) if (folder / EMBED_JSON).is_file() else {}


def _try(folder: Path) -> None:
    """Let it read a sentence."""
    import numpy as np

    from convert.onnx.session import session_of  # onnxruntime loads only when an encoder is run

    words = open_tokenizer(folder / EMBED_TOKENIZER)
    try:
        vector = session_of(folder / EMBED, words).run([words.encode(_PROBE).ids])
    except Exception as error:  # onnxruntime raises many kinds
        raise InputError(f"{folder / EMBED}: cannot be run ({error}); export it with `convert embed`") from error
    if not np.isfinite(vector).all():
        raise InputError(f"{folder / EMBED}: its vectors are not finite; export it with `convert embed`")
