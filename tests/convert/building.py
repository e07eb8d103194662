"""A whole build of the tiny model: its configuration file and where it leads, for every test that runs one."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from convert.__main__ import main


@dataclass(frozen=True, slots=True)
class Build:
    """A configuration file and where it leads."""

    config: Path
    out: Path
    work: Path

    def run(self, capsys: pytest.CaptureFixture[str]) -> dict[str, list[str]]:
        capsys.readouterr()
        assert main(["run", str(self.config), "--json"]) == 0
        result: dict[str, list[str]] = json.loads(capsys.readouterr().out)
        return result

    def bytes(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in sorted(self.out.iterdir())}


Configure = Callable[..., Build]


@pytest.fixture
def configure(base: Path, adapter: Path, guard: Path, licences: Path, tmp_path: Path) -> Configure:
    def make(name: str = "one", **changes: object) -> Build:
        folder = tmp_path / name
        folder.mkdir()
        values = {
            "base": str(base),
            "adapter": str(adapter),
            "guard": str(guard),
            "licences": str(licences),
            "out": "models/tiny",
            "work": "work",
            "positions": 60,
            "threads": 1,
            **changes,
        }
        path = folder / "run.toml"
        path.write_text("\n".join(f"{key} = {json.dumps(value)}" for key, value in values.items() if value is not None))
        return Build(path, folder / "models" / "tiny", folder / "work")

    return make


__all__ = ["Build", "Configure", "configure"]
