"""Numbers among the options of ``engine``, ``drafts`` and ``shape``: what makes no sense is refused before any work."""

from __future__ import annotations

import argparse
from collections.abc import Callable

import pytest

from bench.__main__ import main
from bench.engine.commands import drafts_options, engine_options, shape_options

COUNTS = {
    "engine": ("--rounds", "--seed", "--peer-pid"),
    "drafts": ("--rounds",),
    "shape": ("--heads", "--kv-heads", "--vocabulary", "--context-tokens", "--seed"),
}
LIMITS = {
    ("drafts", "--threads"): (0, 512, "from 0 (the physical cores) to 512"),
    ("engine", "--threads"): (1, 512, "from 1 to 512"),
    ("engine", "--cells"): (2048, 1_000_000_000, "from 2048 (one chat's context) to 1000000000"),
    ("engine", "--timeout"): (1, 1_000_000, "from 1 to 1000000"),
    ("shape", "--layers"): (1, 512, "from 1 to 512"),
    ("shape", "--width"): (1, 65_536, "from 1 to 65536"),
    ("shape", "--hidden"): (1, 65_536, "from 1 to 65536"),
}
OPTIONS: dict[str, Callable[[argparse.ArgumentParser], None]] = {
    "engine": engine_options,
    "drafts": drafts_options,
    "shape": shape_options,
}


def refusal(capsys: pytest.CaptureFixture[str], command: str, option: str, value: str) -> str:
    """What is said of a value that is refused with exit code 2."""
    with pytest.raises(SystemExit) as caught:
        main([command, option, value])
    assert caught.value.code == 2
    return capsys.readouterr().err


@pytest.mark.parametrize(("command", "option"), [(name, option) for name, all_ in COUNTS.items() for option in all_])
@pytest.mark.parametrize("value", ["0", "-3", "1.5", "", "nan", "1e3", "²"])
def test_what_is_no_count_is_refused(command: str, option: str, value: str, capsys: pytest.CaptureFixture[str]) -> None:
    said = refusal(capsys, command, option, value)
    assert f"argument {option}: {value!r}; expected a whole number, 1 or more" in said


@pytest.mark.parametrize(("command", "option"), LIMITS)
def test_a_number_beyond_its_limits_is_refused(command: str, option: str, capsys: pytest.CaptureFixture[str]) -> None:
    least, most, expected = LIMITS[command, option]
    for value in (str(least - 1), str(most + 1), "-3", "1.5", "two"):
        said = refusal(capsys, command, option, value)
        assert f"argument {option}: {value!r}; expected a whole number {expected}" in said


@pytest.mark.parametrize(("command", "option"), LIMITS)
def test_a_number_at_its_limits_is_taken(command: str, option: str) -> None:
    parser = argparse.ArgumentParser()
    OPTIONS[command](parser)
    least, most, _ = LIMITS[command, option]
    out = ["--out", "x"] if command == "shape" else []
    for value in (least, most):
        assert getattr(parser.parse_args([*out, option, str(value)]), option.strip("-")) == value


def test_every_number_among_the_options_is_tried_here() -> None:
    for command, add in OPTIONS.items():
        parser = argparse.ArgumentParser()
        add(parser)
        numbers = {
            action.option_strings[0]
            for action in parser._actions
            if isinstance(action.default, int) and not isinstance(action.default, bool)
        }
        tried = {*COUNTS[command], *(option for name, option in LIMITS if name == command)}
        assert numbers <= tried
