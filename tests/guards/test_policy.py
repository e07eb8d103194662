"""The policy file: what it says is what is applied, and whatever is wrong with it is named by its key."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

from guards.errors import PolicyError
from guards.language import LANGUAGES
from guards.pii.find import PiiKind
from guards.policy import DEFAULT_POLICY, TEXT_FAMILIES, Direction, load_policy
from guards.verdict import Action


def test_the_built_in_policy() -> None:
    policy = load_policy()
    digest = hashlib.sha256(DEFAULT_POLICY.read_bytes()).hexdigest()
    assert policy.stamp == f"1+{digest[:12]}"
    assert policy.size.max_input_chars == 4000
    assert policy.action("injection", Direction.INPUT) is Action.BLOCK
    assert policy.action("injection", Direction.OUTPUT) is None
    assert policy.action("pii", Direction.OUTPUT) is Action.REDACT
    assert set(policy.pii.kinds) == set(PiiKind)
    assert all(policy.texts[language][family] for language in LANGUAGES for family in TEXT_FAMILIES)


def edited(path: Path, pattern: str, replacement: str) -> Path:
    """The policy file with one line changed."""
    text, count = re.subn(pattern, replacement, path.read_text("utf-8"), count=1, flags=re.MULTILINE)
    assert count == 1, pattern
    path.write_text(text, encoding="utf-8")
    return path


def test_a_changed_byte_changes_the_stamp(policy_file: Path) -> None:
    before = load_policy(policy_file).stamp
    after = load_policy(edited(policy_file, r"max_input_chars = 4000", "max_input_chars = 4001"))
    assert after.stamp != before
    assert after.size.max_input_chars == 4001


def test_a_guard_that_is_off_is_not_wanted(policy_file: Path) -> None:
    edited(
        policy_file,
        r"(\[guards\.toxicity\][^\n]*\n)input = \"block\"\noutput = \"block\"",
        r'\1input = "off"\noutput = "off"',
    )
    policy = load_policy(policy_file)
    assert not policy.wants("toxicity")
    assert policy.wants("pii")


def test_only_keeps_one_guard_and_the_encoding_check() -> None:
    policy = load_policy().only("injection")
    assert {family for family, _ in policy.actions} == {"injection", "encoding"}


@pytest.mark.parametrize(
    ("pattern", "replacement", "key"),
    [
        (r'^version = "1"$', "version = 1", "version"),
        (r'^version = "1"$', "", "version"),
        (r'^version = "1"$', 'version = "1"\nmood = "good"', "mood"),
        (r"max_input_chars = 4000", 'max_input_chars = "4000"', "size.max_input_chars"),
        (r"max_input_chars = 4000", "max_input_chars = true", "size.max_input_chars"),
        (r"max_output_chars = 8000", "max_output_chars = 0", "size.max_output_chars"),
        (r"max_output_chars", "max_outputs", "size.max_output_chars"),
        (r"^(\[guards\.encoding\].*\n)input = \"block\"", r'\1input = "off"', "guards.encoding.input"),
        (r"^(\[guards\.injection\].*\n)input = \"block\"", r'\1input = "redact"', "guards.injection.input"),
        (r"^(\[guards\.injection\].*\n)", r'\1output = "block"\n', "guards.injection.output"),
        (r"^\[guards\.leak\]", "[guards.leaks]", "guards.leak"),
        (r"^ignored_labels = .*", "ignored_labels = [1]", "toxicity.ignored_labels"),
        (r"^\[toxicity\.thresholds\]", "[toxicity.thresholds]\ninsult = 1.0", "toxicity.thresholds.insult"),
        (r"^(\[injection\]\n)rules_off = \[\]", r'\1rules_off = ["overide"]', "injection.rules_off"),
        (r"^kinds = .*", 'kinds = ["FAX"]', "pii.kinds"),
        (r"^regions = .*", 'regions = ["EU"]', "pii.regions"),
        (r"^\[texts\.zh\]", "[texts.de]", "texts.zh"),
        (r'^leak = "I.*', 'leak = "  "', "texts.en.leak"),
        (r"^\[size\]\n.*\n.*\n.*$", "size = 3", "size"),
        (r"max_guard_ms = 900", "max_guard_ms = 5", "size.max_guard_ms"),
        (r"^families = .*", 'families = ["harm"]', "handoff.families"),
        (r"^\[injection\.thresholds\]", "[injection.thresholds]\nrules = 0.5", "injection.thresholds.rules"),
        (r"^(\[unsafe\]\n)rules_off = \[\]", r'\1rules_off = ["bombs"]', "unsafe.rules_off"),
        (r"^trusted = .*", "trusted = [9]", "facts.trusted"),
        (r'^version = "1"$', "version = ", "file"),
    ],
)
def test_what_is_wrong_is_named(policy_file: Path, pattern: str, replacement: str, key: str) -> None:
    with pytest.raises(PolicyError, match=re.escape(f"{policy_file}: {key}: ")) as caught:
        load_policy(edited(policy_file, pattern, replacement))
    assert caught.value.key == key


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match=r"missing\.toml: file: "):
        load_policy(tmp_path / "missing.toml")
    latin = tmp_path / "latin.toml"
    latin.write_bytes(b'version = "\xe9"')
    with pytest.raises(PolicyError, match=r"latin\.toml: file: "):
        load_policy(latin)
