"""The README's figures: what stands there is what the generator makes of the stored results."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from bench.errors import ResultFileError
from bench.markdown import FOLDER
from bench.readme import BEGIN, END, README, figures_block, with_figures
from bench.result import to_json
from tests.bench.samples import simulated

TEXT = f"# Name\n\nBefore.\n{BEGIN}\nold figures\n{END}\nAfter.\n"


def test_the_figures_of_the_readme_are_made_from_the_stored_files() -> None:
    text = README.read_text(encoding="utf-8")
    assert with_figures(text) == text, "run `python -m bench report --update`"


def test_only_what_stands_between_the_marks_changes(tmp_path: Path) -> None:
    (tmp_path / "box.json").write_text(to_json(simulated(1), {}), encoding="utf-8")
    renewed = with_figures(TEXT, tmp_path)
    assert renewed.startswith(f"# Name\n\nBefore.\n{BEGIN}\n")
    assert renewed.endswith(f"{END}\nAfter.\n")
    assert "old figures" not in renewed
    assert "| box |" in renewed
    assert "Some \\| &lt;CPU>" in renewed
    assert with_figures(renewed, tmp_path) == renewed


def test_without_results_it_says_so(tmp_path: Path) -> None:
    assert "No run is stored yet" in figures_block(tmp_path)


def test_other_results_give_other_figures(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 2)):
        (tmp_path / f"{name}.json").write_text(to_json(simulated(seed, slowdown=1.0 + seed), {}), encoding="utf-8")
    first, second = (line for line in figures_block(tmp_path).splitlines() if line.startswith(("| a |", "| b |")))
    assert first.removeprefix("| a |") != second.removeprefix("| b |")


def test_stored_comparisons_of_engines_name_what_was_not_kept(tmp_path: Path) -> None:
    shutil.copytree(FOLDER / "engine", tmp_path / "engine")
    block = figures_block(tmp_path)
    assert "Engine against its peers: tinyllama-shape" in block
    assert "promised ≤ 0.35" in block


@pytest.mark.parametrize("text", ["no marks", f"{BEGIN} alone", f"{END}\n{BEGIN}", TEXT + TEXT])
def test_marks_that_are_not_there_once_in_order_are_refused(text: str) -> None:
    with pytest.raises(ResultFileError, match="expected each once, in this order"):
        with_figures(text)
