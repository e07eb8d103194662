"""Key files: what is read, what is refused, and that a secret is never repeated."""

from __future__ import annotations

from pathlib import Path

import pytest

from runtime.errors import StartError
from runtime.service.keys import Access, ApiKey, find_key, load_keys

SECRET = "0123456789abcdef0123"


def written(folder: Path, text: str) -> Path:
    path = folder / "keys.txt"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_key_file(tmp_path: Path) -> None:
    keys = load_keys(written(tmp_path, f"# the kiosk\nkiosk user {SECRET}\n\nops admin  {SECRET}ops\n"))
    assert keys == (ApiKey.of("kiosk", Access.USER, SECRET), ApiKey.of("ops", Access.ADMIN, SECRET + "ops"))
    assert SECRET not in repr(keys)


@pytest.mark.parametrize(
    "line", ["kiosk user", "kiosk user short", f"kiosk root {SECRET}", f"kiosk user {SECRET} more", SECRET]
)
def test_a_malformed_line_is_refused_by_its_number(tmp_path: Path, line: str) -> None:
    with pytest.raises(StartError, match="line 2 is malformed") as refused:
        load_keys(written(tmp_path, f"ops admin {SECRET}\n{line}\n"))
    assert SECRET not in str(refused.value)


def test_an_empty_or_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StartError, match="holds no key"):
        load_keys(written(tmp_path, "# nothing\n"))
    with pytest.raises(StartError, match="cannot be read"):
        load_keys(tmp_path / "none")


def test_a_key_is_found_by_its_whole_secret_only() -> None:
    keys = (ApiKey.of("kiosk", Access.USER, SECRET), ApiKey.of("ops", Access.ADMIN, SECRET + "ops"))
    assert find_key(keys, SECRET) == keys[0]
    assert find_key(keys, SECRET + "ops") == keys[1]
    assert find_key(keys, SECRET[:-1]) is None
    assert find_key(keys, "") is None


def test_admins_may_do_what_users_may() -> None:
    assert Access.ADMIN.includes(Access.USER)
    assert Access.USER.includes(Access.USER)
    assert not Access.USER.includes(Access.ADMIN)
