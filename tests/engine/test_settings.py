"""What the engine chooses by itself, and what it refuses before it loads anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from runtime.__main__ import main
from runtime.engine.memory import Room
from runtime.engine.settings import LocalOptions, choose
from runtime.errors import StartError
from runtime.options import engine_options, parser
from tests.paths import DEMO

MODEL = DEMO / "model.gguf"


def test_every_choice_is_explained() -> None:
    chosen = choose(MODEL, LocalOptions())
    assert chosen.cells >= 2048
    assert chosen.threads >= 1
    notes = " ".join(chosen.notes)
    for word in (
        "compute threads",
        f"{chosen.cells:,} KV cells",
        "MiB",
        "OpenMP" if "OpenMP" in notes else "SPINCOUNT",
    ):
        assert word in notes


def test_a_box_that_is_too_small_is_told_the_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runtime.engine.settings.machine_room", lambda: Room(80 << 20, 40 << 20))
    with pytest.raises(StartError, match=r"not enough memory.*MiB for 65,536 cells.*available"):
        choose(MODEL, LocalOptions(cells=65_536))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (LocalOptions(cells=100), "--cells 100; expected at least one context, 2048"),
        (LocalOptions(parallel=0), "--parallel 0; expected 1 to"),
        (LocalOptions(parallel=1000), "--parallel 1000; expected 1 to"),
        (LocalOptions(threads=-3), "--threads -3; expected 1 to"),
        (LocalOptions(threads=100_000), "--threads 100000; expected 1 to .*, the processors of this machine"),
    ],
)
def test_what_makes_no_sense_is_refused(options: LocalOptions, message: str) -> None:
    with pytest.raises(StartError, match=message):
        choose(MODEL, options)


def test_another_model_another_stamp(tmp_path: Path) -> None:
    """Or states of the one would be taken for states of the other."""
    same = choose(MODEL, LocalOptions())
    assert same.stamp == choose(MODEL, LocalOptions()).stamp
    assert same.stamp != choose(MODEL, LocalOptions(identity="another file")).stamp
    one, other = tmp_path / "one.gguf", tmp_path / "other.gguf"
    one.write_bytes(b"1")
    other.write_bytes(b"2")
    first, second = (choose(MODEL, LocalOptions(adapters={"refunds": path})).adapters for path in (one, other))
    assert first[""] == second[""] == ""
    assert first["refunds"] != second["refunds"]


def test_a_misspelt_switch_of_the_drafts_is_refused_wherever_it_comes_from(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refusal(*arguments: str) -> str:
        with pytest.raises(SystemExit) as stopped:
            main(["check", "--bundle", "/nowhere/at/all", *arguments])
        assert stopped.value.code == 2
        return capsys.readouterr().err.splitlines()[-1]

    typed = refusal("--drafts", "maybe")
    for word in ("--drafts", "'maybe'", "expected on or off", "correct"):
        assert word in typed
    monkeypatch.setenv("TELLERBOX_DRAFTS", "maybe")
    assert refusal() == typed


@pytest.mark.parametrize(("given", "drafting"), [("on", True), ("Yes", True), ("off", False), ("0", False), ("", True)])
def test_drafts_are_made_unless_they_are_switched_off(
    monkeypatch: pytest.MonkeyPatch, given: str, drafting: bool
) -> None:
    if given:
        monkeypatch.setenv("TELLERBOX_DRAFTS", given)
    options = parser(dict.fromkeys(("serve", "chat", "check"), lambda _: 0)).parse_args(["check"])
    assert engine_options(options).drafting is drafting
