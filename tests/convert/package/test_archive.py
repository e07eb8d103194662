"""The signed archive: the same bytes each time, unpacked whole or not at all, refused for any change by its name."""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from convert.__main__ import main
from convert.errors import InputError
from convert.package import tape
from convert.package.errors import ArchiveError
from convert.package.keys import KeyPair, make_keys, sign
from convert.package.listing import SIGNATURE, SUMS, to_text
from convert.package.verify import unpack_archive, verify_archive
from convert.package.write import write_archive
from tests.convert.package.conftest import FILES

Member = tuple[tarfile.TarInfo, bytes]
Change = Callable[[list[Member]], None]


def test_what_is_unpacked_is_what_was_packed(whole: Path, keys: KeyPair, tmp_path: Path) -> None:
    found = unpack_archive(whole, keys.public, tmp_path / "box")
    there = {str(p.relative_to(tmp_path / "box")): p.read_bytes() for p in (tmp_path / "box").rglob("*") if p.is_file()}
    assert {name: there[name] for name in FILES} == FILES
    assert set(there) == {*FILES, SUMS, SIGNATURE}
    assert found.key == keys.fingerprint
    assert [path.name for path in tmp_path.iterdir()] == ["box"]
    with pytest.raises(InputError, match="is there already"):
        unpack_archive(whole, keys.public, tmp_path / "box")


def test_the_same_files_give_the_same_bytes_wherever_they_lie(whole: Path, keys: KeyPair, tmp_path: Path) -> None:
    lying = {}
    for name, content in reversed(FILES.items()):
        lying[name] = tmp_path / name.replace("/", "_")
        lying[name].write_bytes(content)
        os.utime(lying[name], (1, 1))
        lying[name].chmod(0o600)
    assert write_archive(tmp_path / "again.tar", lying, keys.private).path.read_bytes() == whole.read_bytes()


def test_a_wheel_may_name_all_its_platforms(keys: KeyPair, tmp_path: Path) -> None:
    """Beyond the hundred characters of a tar's name the folder has a field of its own."""
    platforms = "manylinux2014_x86_64.manylinux_2_17_x86_64.manylinux_2_28_x86_64"
    name = f"wheels/markupsafe-3.0.4-cp311-cp311-{platforms}.whl"
    assert len(name) > tape.MAX_NAME_BYTES
    whole = write_archive(tmp_path / "a.tar", {name: b"x"}, keys.private).path
    unpack_archive(whole, keys.public, tmp_path / "box")
    assert (tmp_path / "box" / name).read_bytes() == b"x"
    listed = subprocess.run(["tar", "-tf", str(whole)], capture_output=True, text=True, check=True).stdout
    assert name in listed.splitlines()


def test_tar_reads_it_and_finds_nothing_of_this_machine(whole: Path) -> None:
    listed = subprocess.run(["tar", "-tvf", str(whole), "--utc"], capture_output=True, text=True, check=True).stdout
    assert len(listed.splitlines()) == len(FILES) + 2
    assert all(line.startswith("-rw-r--r-- 0/0 ") and " 1980-01-01 00:00 " in line for line in listed.splitlines())


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_one_flipped_bit_anywhere_is_refused(whole: Path, keys: KeyPair, tmp_path: Path, data: st.DataObject) -> None:
    content = bytearray(whole.read_bytes())
    content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    changed = tmp_path / "changed.tar"
    changed.write_bytes(content)
    with pytest.raises(ArchiveError, match="do not use it"):
        verify_archive(changed, keys.public)


def test_bytes_of_headers_signature_and_ending_count_too(whole: Path, keys: KeyPair, tmp_path: Path) -> None:
    content = whole.read_bytes()
    changed = tmp_path / "changed.tar"
    for position in (*range(0, 2600, 2), *range(len(content) - 1100, len(content))):
        changed.write_bytes(content[:position] + bytes([content[position] ^ 0xFF]) + content[position + 1 :])
        with pytest.raises(ArchiveError):
            verify_archive(changed, keys.public)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_truncated_archive_is_refused(whole: Path, keys: KeyPair, tmp_path: Path, data: st.DataObject) -> None:
    content = whole.read_bytes()
    cut = tmp_path / "cut.tar"
    cut.write_bytes(content[: data.draw(st.integers(0, len(content) - 1))])
    with pytest.raises(ArchiveError, match="truncated"):
        unpack_archive(cut, keys.public, tmp_path / "box")
    assert [path.name for path in tmp_path.iterdir()] == ["cut.tar"]


def rewritten(whole: Path, out: Path, change: Change) -> Path:
    """The archive with its list of members changed and every header valid again, as an attacker would write it."""
    with tarfile.open(whole) as source:
        members = [(info, source.extractfile(info).read()) for info in source]  # type: ignore[union-attr]
    change(members)
    with tarfile.open(out, "w", format=tarfile.USTAR_FORMAT) as target:
        for info, content in members:
            info.size = len(content) if info.isreg() else 0
            target.addfile(info, io.BytesIO(content))
    return out


def member(name: str, content: bytes = b"", kind: bytes = tarfile.REGTYPE, link: str = "") -> Member:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.mode, info.mtime = kind, link, 0o644, tape.TIME_S
    return info, content


def rename(members: list[Member], position: int, name: str) -> None:
    members[position][0].name = name


CHANGES: dict[str, tuple[Change, str]] = {
    "added last": (lambda m: m.append(member("zzz", b"x")), "zzz is not in the signed list"),
    "added between": (lambda m: m.insert(4, member("bundle/x", b"x")), "bundle/x is not in the signed list"),
    "removed": (lambda m: m.__delitem__(4), "empty stands where bundle/model.gguf should be"),
    "removed last": (lambda m: m.__delitem__(-1), "wheels/a-1.0-py3-none-any.whl is missing"),
    "renamed": (lambda m: rename(m, 4, "bundle/model2.gguf"), "bundle/model2.gguf is not in the signed list"),
    "exchanged": (lambda m: m.reverse(), "stands where SHA256SUMS should be"),
    "climbing": (lambda m: m.insert(4, member("../evil", b"x")), "'../evil' would be unpacked outside"),
    "absolute": (lambda m: m.insert(4, member("/etc/evil", b"x")), "'/etc/evil' would be unpacked outside"),
    "hidden": (lambda m: m.append(member("bundle/.evil", b"x")), "'bundle/.evil' would be unpacked"),
    "symbolic link": (lambda m: m.insert(2, member("bundle", kind=tarfile.SYMTYPE, link="/etc")), "a symbolic link"),
    "hard link": (lambda m: m.append(member("empty", kind=tarfile.LNKTYPE, link="/etc/passwd")), "a hard link"),
    "folder": (lambda m: m.insert(2, member("bundle", kind=tarfile.DIRTYPE)), "a folder"),
    "device": (lambda m: m.append(member("null", kind=tarfile.CHRTYPE)), "a device"),
    "twice": (lambda m: m.append(m[4]), "bundle/model.gguf stands twice"),
    "content": (lambda m: m.__setitem__(4, (m[4][0], b"evil")), "bundle/model.gguf has sha256"),
    "mode": (lambda m: setattr(m[4][0], "mode", 0o755), "the header of bundle/model.gguf"),
    "list": (lambda m: m.__setitem__(0, (m[0][0], b"")), "is not signed by"),
    "no signature": (lambda m: m.__delitem__(1), "README.txt stands where SHA256SUMS.sig should be"),
    "long signature": (lambda m: m.__setitem__(1, (m[1][0], bytes(65))), "has 65 bytes; expected at most 64"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_each_change_by_hand_is_refused_and_named(name: str, whole: Path, keys: KeyPair, tmp_path: Path) -> None:
    change, words = CHANGES[name]
    changed = rewritten(whole, tmp_path / "changed.tar", change)
    with pytest.raises(ArchiveError) as refused:
        unpack_archive(changed, keys.public, tmp_path / "box")
    assert words in str(refused.value)
    assert [path.name for path in tmp_path.iterdir()] == ["changed.tar"]


def test_bytes_after_the_end_and_another_key_are_refused(whole: Path, keys: KeyPair, tmp_path: Path) -> None:
    longer = tmp_path / "longer.tar"
    longer.write_bytes(whole.read_bytes() + b"\0")
    with pytest.raises(ArchiveError, match="bytes after its end"):
        verify_archive(longer, keys.public)
    other = make_keys(tmp_path / "other.pem")
    with pytest.raises(ArchiveError, match=rf"not signed by .*other\.pem\.pub \(key {other.fingerprint[:16]}"):
        verify_archive(whole, other.public)


@pytest.mark.parametrize("names", [("../a",), ("a", "a"), ("b", "a"), ("/a",), (SUMS,), ("a\\b",)])
def test_even_a_signed_list_may_not_lead_astray(names: tuple[str, ...], keys: KeyPair, tmp_path: Path) -> None:
    content = b"x"
    listing = "".join(to_text({name: hashlib.sha256(content).hexdigest()}) for name in names).encode()
    with tarfile.open(tmp_path / "a.tar", "w", format=tarfile.USTAR_FORMAT) as target:
        parts = [(SUMS, listing), (SIGNATURE, sign(listing, keys.private)), *((name, content) for name in names)]
        for name, data in parts:
            info, _ = member(name)
            info.size = len(data)
            target.addfile(info, io.BytesIO(data))
    with pytest.raises(ArchiveError, match=r"may not be a file of an archive|twice or out of order"):
        unpack_archive(tmp_path / "a.tar", keys.public, tmp_path / "box")
    assert not (tmp_path / "box").exists()


@pytest.mark.parametrize("name", ["../a", "/a", "a//b", ".a", "a b", "a\n", "ü", "a" * 101, "wheels/" + "a" * 101, ""])
def test_names_that_no_archive_holds_are_refused_when_packing(name: str, keys: KeyPair, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be a name in an archive"):
        write_archive(tmp_path / "a.tar", {name: b"x"}, keys.private)
    assert not (tmp_path / "a.tar").exists()


def test_keys_are_written_once_and_the_private_one_is_nobody_elses(tmp_path: Path) -> None:
    assert main(["keygen", str(tmp_path / "key.pem")]) == 0
    assert (tmp_path / "key.pem").stat().st_mode & 0o777 == 0o600
    assert main(["keygen", str(tmp_path / "key.pem")]) == 2
    (tmp_path / "key.pem").chmod(0o644)
    with pytest.raises(InputError, match="chmod 600"):
        sign(b"x", tmp_path / "key.pem")


@pytest.mark.parametrize("text", ["", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"])
def test_what_is_no_key_is_refused(text: str, whole: Path, tmp_path: Path) -> None:
    (tmp_path / "key").write_text(text)
    with pytest.raises(InputError, match="not a public key"):
        verify_archive(whole, tmp_path / "key")
    (tmp_path / "key").chmod(0o600)
    with pytest.raises(InputError, match="not a private key"):
        sign(b"x", tmp_path / "key")


def test_verify_tells_archives_from_folders(
    whole: Path, keys: KeyPair, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", str(whole), "--key", str(keys.public), "--to", str(tmp_path / "box"), "--json"]) == 0
    assert (tmp_path / "box" / "README.txt").read_bytes() == FILES["README.txt"]
    capsys.readouterr()
    for arguments, words in (
        ([str(whole)], "expected --key"),
        ([str(tmp_path / "none"), "--key", str(keys.public)], "no such file or folder"),
        ([str(tmp_path), "--key", str(keys.public)], "are for archives"),
        ([str(whole), "--key", str(tmp_path / "none")], "expected a public key"),
    ):
        assert main(["verify", *arguments]) == 2
        assert words in capsys.readouterr().err


def test_openssl_alone_verifies_it_on_a_box(whole: Path, keys: KeyPair, tmp_path: Path) -> None:
    subprocess.run(["tar", "-xf", str(whole), "-C", str(tmp_path)], check=True)
    command = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", str(keys.public), "-rawin", "-in", SUMS]
    command += ["-sigfile", SIGNATURE]
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode == 0
    sums = ["sha256sum", "--check", "--strict", "--quiet", SUMS]
    assert subprocess.run(sums, cwd=tmp_path, check=False).returncode == 0
    (tmp_path / "README.txt").write_bytes(b"read mE\n")
    assert subprocess.run(sums, cwd=tmp_path, capture_output=True, check=False).returncode == 1
    (tmp_path / SUMS).write_bytes((tmp_path / SUMS).read_bytes()[:-1])
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode == 1
