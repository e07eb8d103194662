"""A blob file says exactly what was written, or nothing: every damage is noticed, none raises anything unforeseen."""

from __future__ import annotations

import hashlib
import json
import os
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.engine.blobs.file import (
    SUFFIX,
    BlobFileError,
    BlobName,
    file_bytes,
    pack_head,
    read_header,
    read_payload,
)

STAMP = "model 1, f16"
NAME = BlobName("refunds", 2, (1, 29871, 13, 2**31 - 1))
DATA = b"a state of some bytes"


def written(folder: Path, name: BlobName = NAME, data: bytes = DATA) -> Path:
    path = folder / (name.key + SUFFIX)
    path.write_bytes(pack_head(STAMP, name, data) + data)
    return path


def refused(path: Path) -> bool:
    """Whether the whole file is refused, with the one error that may be raised."""
    try:
        read_payload(path, STAMP, NAME)
    except BlobFileError:
        return True
    return False


names = st.builds(
    lambda adapter, tokens, start: BlobName(adapter, start % len(tokens), tuple(tokens)),
    st.text(max_size=9),
    st.lists(st.integers(-(2**31), 2**31 - 1), min_size=1, max_size=40),
    st.integers(0, 40),
)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for all examples; a new one for each takes longer than the rest."""
    return tmp_path_factory.mktemp("blobs")


@given(names, st.binary(max_size=300))
def test_what_was_written_is_read(shared: Path, name: BlobName, data: bytes) -> None:
    path = written(shared, name, data)
    header = read_header(path)
    assert (header.stamp, header.name, header.payload_bytes) == (STAMP, name, len(data))
    assert read_payload(path, STAMP, name) == data
    assert path.stat().st_size == file_bytes(STAMP, name, len(data))


def test_an_empty_state_is_a_state(tmp_path: Path) -> None:
    assert read_payload(written(tmp_path, data=b""), STAMP, NAME) == b""


@given(names, names)
def test_unlike_names_have_unlike_keys(one: BlobName, other: BlobName) -> None:
    assert (one.key == other.key) == (one == other)


def test_a_key_is_the_same_in_every_process() -> None:
    assert NAME.key == "17e6aab159310236a0df727a0d88ac75f697afaa25aaa8d7224206eca570ec6c"


def test_neighbouring_fields_do_not_run_into_each_other() -> None:
    tokens = (0x41414141, 5)
    assert BlobName("", 0, tokens).key != BlobName("AAAA", 0, tokens[1:]).key


@pytest.mark.parametrize("start", [-1, 4, 5])
def test_a_name_holds_at_least_one_position(start: int) -> None:
    with pytest.raises(ValueError, match="expected 0 to 3"):
        BlobName("", start, (1, 2, 3, 4))


def test_every_flipped_bit_is_noticed_and_outside_the_payload_by_the_header_alone(tmp_path: Path) -> None:
    path = written(tmp_path)
    whole = path.read_bytes()
    file = os.open(path, os.O_WRONLY)
    for place, byte in enumerate(whole):
        for bit in range(8):
            os.pwrite(file, bytes([byte ^ 1 << bit]), place)
            assert refused(path), f"bit {bit} of byte {place}"
            if place < len(whole) - len(DATA):
                with pytest.raises(BlobFileError):
                    read_header(path)
        os.pwrite(file, bytes([byte]), place)
    os.close(file)
    assert not refused(path)


def test_every_truncation_is_noticed_by_the_header_alone(tmp_path: Path) -> None:
    path = written(tmp_path)
    whole = path.read_bytes()
    for length in reversed(range(len(whole))):
        os.truncate(path, length)
        with pytest.raises(BlobFileError):
            read_header(path)
        assert refused(path)


def test_a_byte_too_many_is_noticed(tmp_path: Path) -> None:
    path = written(tmp_path)
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(BlobFileError, match="bytes; expected"):
        read_header(path)


def test_a_file_under_another_name_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path)
    other = path.rename(tmp_path / (BlobName("", 0, (1,)).key + SUFFIX))
    with pytest.raises(BlobFileError, match="called after"):
        read_header(other)


def test_another_stamp_or_name_than_asked_for_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path)
    for stamp, name in [("model 2", NAME), (STAMP, BlobName("", 2, NAME.tokens))]:
        with pytest.raises(BlobFileError, match="another model or prompt"):
            read_payload(path, stamp, name)


@pytest.mark.parametrize(
    "change",
    [
        {"start": 9},
        {"start": "2"},
        {"start": True},
        {"tokens": "AAA"},
        {"tokens": "AAAA"},
        {"tokens": "é"},
        {"tokens": 5},
        {"adapter": 7},
        {"stamp": None},
        {"payload_bytes": -1},
        {"payload_bytes": 1.5},
        {"payload_bytes": 10**30},
        {"payload_sha256": None},
    ],
)
def test_a_header_without_sense_is_refused_though_its_checksum_is_right(
    tmp_path: Path, change: dict[str, object]
) -> None:
    path = written(tmp_path)
    _, _, length = struct.unpack("<8sII", path.read_bytes()[:16])
    fields = json.loads(path.read_bytes()[16 : 16 + length]) | change
    path.write_bytes(sealed(json.dumps(fields).encode()) + DATA)
    assert refused(path)


@pytest.mark.parametrize("text", [b"", b"[]", b"7", b"{}", b"\xff", b"[" * 100_000, b'{"start":' + b"9" * 5000 + b"}"])
def test_a_header_that_is_no_object_of_ours_is_refused(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / (NAME.key + SUFFIX)
    path.write_bytes(sealed(text) + DATA)
    assert refused(path)


def sealed(text: bytes) -> bytes:
    head = pack_head(STAMP, NAME, DATA)[:12] + struct.pack("<I", len(text)) + text
    return head + hashlib.sha256(head).digest()


@given(st.binary(max_size=400))
def test_any_bytes_are_refused(shared: Path, noise: bytes) -> None:
    path = shared / (NAME.key + SUFFIX)
    path.write_bytes(noise)
    assert refused(path)


def test_what_is_no_plain_file_is_refused_and_does_not_block(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    target = written(elsewhere)
    path = tmp_path / (NAME.key + SUFFIX)
    assert refused(path)  # missing
    path.symlink_to(target)
    assert refused(path)
    path.unlink()
    os.mkfifo(path)
    assert refused(path)
    path.unlink()
    path.mkdir()
    assert refused(path)
