"""The commands behind ``python -m guards`` that measure: each reads its input and returns what is to be printed."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from tokenizers import Tokenizer
from tqdm import tqdm

from guards.audit.key import read_key
from guards.audit.log import Anchor
from guards.audit.verify import verify
from guards.evaluation import evaluate_report, facts, facts_suite, pii, pii_suite, robustness, unsafe
from guards.evaluation.evaluate import Evaluation, evaluate, judge, lone_guards
from guards.evaluation.jsonl import read_labelled, read_unsafe
from guards.evaluation.speed import measure_speed
from guards.evaluation.speed_memory import peak_rss_bytes
from guards.guard import Guard
from guards.injection.classifier import FILE as INJECTION_FILE
from guards.injection.classifier import load_injection
from guards.injection.provenance import DataScanner, attacks
from guards.policy import load_policy
from guards.redteam.attacks import read_attacks
from guards.redteam.client import Attacker, Target
from guards.redteam.journal import Journal, tasks_left
from guards.redteam.judge import Judge
from guards.redteam.play import Mode, play
from guards.redteam.report import summed_up
from guards.toxicity import ToxicityModel
from guards.verdict import Action
from models.bundle import GUARD_TOKENIZER, open_bundle

#: Seconds after which a bar appears.
BAR_AFTER_S = 2.0

T = TypeVar("T")


class Figures(Protocol):
    """What every measurement gives."""

    def to_dict(self) -> dict[str, object]:
        """For JSON."""


@dataclass(frozen=True, slots=True)
class Printed:
    """What a command has to say, and whether the thing checked is good."""

    text: str
    good: bool = True


def loaded_guard(options: argparse.Namespace) -> Guard:
    """The guards that the options ask for; without the toxicity classifier no bundle is needed."""
    policy = load_policy(options.policy)
    if options.guard:
        policy = policy.only(options.guard)
    if not policy.wants("toxicity") and not (policy.wants("injection") and options.bundle.is_dir()):
        return Guard(policy)
    return Guard.load(open_bundle(options.bundle), policy, allow_degraded=options.allow_degraded)


def measure(options: argparse.Namespace) -> Printed:
    """``guards eval``."""
    guard = loaded_guard(options)
    rows = list(read_labelled(_lines(options.file), str(options.file)))
    alone = lone_guards(guard) if options.each else None
    figures = evaluate(guard, (judge(guard, row, alone) for row in _bar(rows, "text")))
    return _printed(options, figures, evaluate_report.report(figures), good=not _falls_short(figures, options))


def _falls_short(figures: Evaluation, options: argparse.Namespace) -> bool:
    """Whether a figure is beyond a limit that was given; one that cannot be computed is."""
    recall, fpr, area = figures.total.recall, figures.total.false_positive_rate, figures.auc
    return (
        (options.min_recall is not None and (recall is None or recall < options.min_recall))
        or (options.max_fpr is not None and (fpr is None or fpr > options.max_fpr))
        or (options.min_auc is not None and (area is None or area < options.min_auc))
    )


def disguises(options: argparse.Namespace) -> Printed:
    """``guards disguises``: attacks that are caught plain, in every obfuscation."""
    guard = loaded_guard(options)
    rows = [row.text for row in read_labelled(_lines(options.file), str(options.file)) if row.attack]
    figures = robustness.evaluate_robustness(
        _bar(rows, "attack"), lambda text: guard.check_input(text).action is Action.BLOCK
    )
    return _printed(options, figures, robustness.report(figures), good=figures.worst_fall_points <= options.max_fall)


def scan(options: argparse.Namespace) -> Printed:
    """``guards scan``: instructions to the assistant in texts that are data; falls short if one holds an attack."""
    bundle = open_bundle(options.bundle)
    ngrams = load_injection(bundle.path(INJECTION_FILE)) if bundle.has(INJECTION_FILE) else None
    scanner = DataScanner(ngrams, ToxicityModel.load(bundle))
    findings = [
        finding
        for file in _bar(options.files, "file")
        for finding in scanner.scan(file.read_text(encoding="utf-8"), str(file))
    ]
    lines = "\n".join(json.dumps(finding.to_dict(), ensure_ascii=False) for finding in findings)
    return Printed(lines, good=not attacks(findings))


def personal_data(options: argparse.Namespace) -> Printed:
    """``guards pii``: on a labelled file, or on generated numbers."""
    kinds = load_policy(options.policy).pii
    if options.file is None:
        suite = pii_suite.evaluate_pii_suite(options=kinds)
        return _printed(options, suite, pii_suite.report(suite))
    figures = pii.evaluate_pii(pii.read_labelled_pii(_lines(options.file), str(options.file)), kinds)
    return _printed(options, figures, pii.report(figures))


def invented_facts(options: argparse.Namespace) -> Printed:
    """``guards facts``: on a labelled file, or on generated answers."""
    if options.file is None:
        rows = facts_suite.generated(options.seed, options.pairs)
    else:
        rows = facts.read_facts(_lines(options.file), str(options.file))
    figures = facts.evaluate_facts(_bar(rows, "answer"))
    return _printed(options, figures, facts.report(figures))


def unsafe_requests(options: argparse.Namespace) -> Printed:
    """``guards unsafe``: on a labelled file."""
    figures = unsafe.evaluate_unsafe(list(read_unsafe(_lines(options.file), str(options.file))))
    return _printed(options, figures, unsafe.report(figures))


def speed(options: argparse.Namespace) -> Printed:
    """``guards speed``: time per text on one thread, and memory in a process of its own."""
    guard = loaded_guard(options)
    bundle = open_bundle(options.bundle)
    tokenizer = Tokenizer.from_file(str(bundle.path(GUARD_TOKENIZER)))
    with tqdm(unit="text", delay=BAR_AFTER_S) as bar:
        figures = measure_speed(
            guard,
            lambda text: len(tokenizer.encode(text).ids),
            peak_rss_bytes(bundle.folder, options.policy),
            done=bar.update,
        )
    return _printed(options, figures, figures.report(), good=figures.good)


def audit_verify(options: argparse.Namespace) -> Printed:
    """``guards audit-verify``."""
    key = read_key(options.key or options.folder.with_suffix(".key"))
    report = verify(options.folder, key, _anchor(options.anchor) if options.anchor else None)
    return _printed(options, report, report.report(), good=report.good)


def red_team(options: argparse.Namespace) -> Printed:
    """``guards redteam``: play a file of attacks against a running server; a rerun goes on where it stopped."""
    content = options.file.read_bytes()
    attacks = read_attacks(content.decode("utf-8").split("\n"), str(options.file))
    protected = [path.read_text(encoding="utf-8") for path in options.protected]
    modes = tuple(Mode(name) for name in options.mode or Mode)
    attacker = Attacker(Target(options.url, os.environ.get("TELLERBOX_API_KEY", "")))
    server = attacker.health()
    head: dict[str, object] = {
        "attacks": _digest(content),
        "modes": [mode.value for mode in modes],
        "protected": _digest("\n".join(protected).encode()),
        "model": server.get("model"),
        "policy": server.get("policy"),
    }
    options.out.mkdir(parents=True, exist_ok=True)
    with Journal(options.out / "journal.jsonl", head) as journal:
        played = play(attacks, attacker, Judge(protected), modes, options.concurrency, journal.has)
        left = tasks_left(journal, [(attack.line, mode.value) for attack in attacks for mode in modes])
        for one in tqdm(played, total=left, unit="attack", delay=BAR_AFTER_S):
            journal.add(one)
        figures = summed_up(journal.played, server)
    (options.out / "report.md").write_text(figures.report() + "\n", encoding="utf-8")
    (options.out / "report.json").write_text(json.dumps(figures.to_dict(), indent=1) + "\n", encoding="utf-8")
    return _printed(options, figures, figures.report(), good=figures.good)


def _anchor(text: str) -> Anchor:
    number, colon, mac = text.partition(":")
    if not colon or not number.isdecimal():
        raise ValueError(f"--anchor {text!r}; expected NUMBER:MAC, as /health shows it")
    return Anchor(int(number), mac)


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _lines(path: Path) -> Sequence[str]:
    return path.read_text(encoding="utf-8").split("\n")  # not splitlines: JSON may hold U+2028


def _bar(rows: Iterable[T], unit: str) -> list[T]:
    return list(tqdm(list(rows), unit=unit, delay=BAR_AFTER_S))


def _printed(options: argparse.Namespace, figures: Figures, report: str, *, good: bool = True) -> Printed:
    return Printed(json.dumps(figures.to_dict(), ensure_ascii=False) if options.json else report, good)
