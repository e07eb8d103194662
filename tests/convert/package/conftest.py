"""A key pair and a small signed archive, made once."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from convert.package.keys import KeyPair, make_keys
from convert.package.write import write_archive

FILES: Mapping[str, bytes] = {
    "README.txt": b"read me\n",
    "bundle/manifest.json": b"{}\n" * 300,
    "bundle/model.gguf": bytes(range(256)) * 9,
    "empty": b"",
    "wheels/a-1.0-py3-none-any.whl": b"x" * 512,
}


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> KeyPair:
    return make_keys(tmp_path_factory.mktemp("keys") / "sign.pem")


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory, keys: KeyPair) -> Path:
    return write_archive(tmp_path_factory.mktemp("archive") / "whole.tar", FILES, keys.private).path
