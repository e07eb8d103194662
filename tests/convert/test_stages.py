"""Records: a stage is skipped only while inputs and outputs are what they were; files are whole or absent."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from convert.build.stages import Stage, Workshop
from convert.files import atomic_folder, atomic_output


class Maker:
    """A stage that counts how often it was done."""

    def __init__(self, folder: Path) -> None:
        self.done = 0
        self.out = folder / "out.bin"

    def stage(self, **inputs: object) -> Stage:
        def action() -> None:
            self.done += 1
            self.out.write_bytes(repr(sorted(inputs.items())).encode())

        return Stage("make", inputs, (self.out,), action)


def test_a_stage_is_done_once_and_again_when_inputs_or_outputs_change(tmp_path: Path) -> None:
    shop, maker = Workshop(tmp_path / "work"), Maker(tmp_path)
    first = shop.run(maker.stage(a=1))
    again = shop.run(maker.stage(a=1))
    assert (first.done, again.done, maker.done) == (True, False, 1)
    assert first.outputs == again.outputs
    assert shop.run(maker.stage(a=2)).done
    assert shop.run(maker.stage(a=1)).done
    maker.out.write_bytes(maker.out.read_bytes()[:-1])
    assert shop.run(maker.stage(a=1)).done
    maker.out.unlink()
    assert shop.run(maker.stage(a=1)).done


@pytest.mark.parametrize("record", ["", "{", "[]", '{"key": 1}', "\x00"])
def test_a_damaged_record_is_no_record(tmp_path: Path, record: str) -> None:
    shop, maker = Workshop(tmp_path), Maker(tmp_path)
    shop.run(maker.stage(a=1))
    (tmp_path / "make.record.json").write_text(record)
    assert shop.run(maker.stage(a=1)).done


def test_a_failing_stage_leaves_no_record(tmp_path: Path) -> None:
    def fail() -> None:
        raise RuntimeError("no")

    shop, maker = Workshop(tmp_path), Maker(tmp_path)
    shop.run(maker.stage(a=1))
    with pytest.raises(RuntimeError):
        shop.run(Stage("make", {"a": 2}, (maker.out,), fail))
    assert shop.run(maker.stage(a=1)).done


def test_output_appears_only_when_the_block_ends_well(tmp_path: Path) -> None:
    path = tmp_path / "new" / "file"
    with pytest.raises(RuntimeError), atomic_output(path) as partial:
        partial.write_text("half")
        raise RuntimeError("stopped")
    assert list(path.parent.iterdir()) == []
    with atomic_output(path) as partial:
        partial.write_text("whole")
        assert not path.exists()
    assert path.read_text() == "whole"


def test_a_folder_is_replaced_as_a_whole_or_kept(tmp_path: Path) -> None:
    path = tmp_path / "folder"
    for content in ("one", "two"):
        with atomic_folder(path) as partial:
            (partial / content).write_text(content)
    assert [file.name for file in path.iterdir()] == ["two"]
    with pytest.raises(RuntimeError), atomic_folder(path) as partial:
        raise RuntimeError("stopped")
    assert [file.name for file in path.iterdir()] == ["two"]
    assert [file.name for file in tmp_path.iterdir()] == ["folder"]


def test_what_a_killed_process_left_is_cleared_and_a_living_ones_is_kept(tmp_path: Path) -> None:
    script = "import os, sys; open(sys.argv[1] % os.getpid(), 'w').write('half'); os.kill(os.getpid(), 9)"
    subprocess.run([sys.executable, "-c", script, str(tmp_path / ".file.%d.partial")], check=False)
    living = tmp_path / f".file.{os.getppid()}.partial"
    living.write_text("somebody else's")
    assert len(list(tmp_path.iterdir())) == 2
    with atomic_output(tmp_path / "file") as partial:
        partial.write_text("whole")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([living.name, "file"])
