"""A store on a folder of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.engine.blobs.store import BlobOptions, BlobStore
from tests.engine.blobs.states import KB, SOON, STAMP


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "blobs"


@pytest.fixture
def store(folder: Path) -> Iterator[BlobStore]:
    store = BlobStore(BlobOptions(10 * KB, folder, 100 * KB, settle_s=600, rest_s=SOON), STAMP)
    yield store
    store.close()
