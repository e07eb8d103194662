"""The policy: one validated TOML file that says what the guards let through, and the fixed texts."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path

from phonenumbers import SUPPORTED_REGIONS

from guards.errors import PolicyError
from guards.injection.table import NAMES
from guards.language import LANGUAGES
from guards.pii.find import PiiKind, PiiOptions
from guards.policy_table import Table
from guards.unsafe.table import UNSAFE_NAMES
from guards.verdict import Action

DEFAULT_POLICY = Path(__file__).with_name("policy.toml")

#: The family of verdicts about a guard that failed; it always blocks and is no row of the policy.
FAULT_FAMILY = "guard"
LEAK_FAMILY = "leak"

_OFF = "off"
_MAX_CHARS = 1_000_000
_MAX_GUARD_MS = 60_000
_STAMP_DIGITS = 12


class Direction(StrEnum):
    """Which way a text goes: from the customer, or to the customer."""

    INPUT = "input"
    OUTPUT = "output"


#: The actions that each guard can take, per direction. What stands behind it is not safe without the encoding check.
CHOICES: Mapping[str, Mapping[Direction, tuple[str, ...]]] = {
    "encoding": {Direction.INPUT: ("block",), Direction.OUTPUT: ("redact", "block")},
    "injection": {Direction.INPUT: (_OFF, "review", "block")},
    "pii": {
        Direction.INPUT: (_OFF, "redact", "review", "block"),
        Direction.OUTPUT: (_OFF, "redact", "review", "block"),
    },
    "self_harm": {Direction.INPUT: (_OFF, "review", "block")},
    "unsafe": {Direction.INPUT: (_OFF, "review", "block")},
    "leak": {Direction.OUTPUT: (_OFF, "review", "block")},
    "placeholder": {Direction.OUTPUT: (_OFF, "redact", "block")},
    "facts": {Direction.OUTPUT: (_OFF, "review", "block")},
    "toxicity": {Direction.INPUT: (_OFF, "review", "block"), Direction.OUTPUT: (_OFF, "review", "block")},
}
TEXT_FAMILIES = ("size", *CHOICES, FAULT_FAMILY)


@dataclass(frozen=True, slots=True)
class SizeLimits:
    """Longest texts, in characters, and the milliseconds after which a guard that is not done has failed."""

    max_input_chars: int = 4000
    max_output_chars: int = 8000
    max_guard_ms: int = 900


@dataclass(frozen=True, slots=True)
class ToxicityPolicy:
    """How the classifier's probabilities are read.

    Attributes:
        thresholds: per label, the probability from which it counts; others are the bundle's.
        ignored_labels: labels that are scored but never acted on; a model need not have them.
    """

    thresholds: Mapping[str, float] = field(default_factory=dict)
    ignored_labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class InjectionPolicy:
    """How attempts on the assistant's instructions are recognised.

    Attributes:
        rules_off: names of rules that are not applied.
        thresholds: the probability from which ``classifier``, ``encoder`` or ``both`` together count; others as usual.
    """

    rules_off: tuple[str, ...] = ()
    thresholds: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Policy:
    """The whole policy.

    Attributes:
        stamp: ``version+hash``: the file's version and the first 12 hex digits of its sha256; stands in every verdict.
        size: longest texts.
        actions: per guard and direction; a guard that is not there does not run.
        toxicity: how the classifier is read.
        injection: how attempts on the assistant's instructions are recognised.
        unsafe_rules_off: names of rules on unsafe requests that are not applied.
        trusted_facts: texts of the shop; what amounts, dates and addresses they name, an answer may name.
        handoff: families of rules after which a person should take over, whatever the action.
        pii: which personal data is looked for.
        texts: language -> family of rules -> what the customer reads.
    """

    stamp: str
    size: SizeLimits
    actions: Mapping[tuple[str, Direction], Action]
    toxicity: ToxicityPolicy
    injection: InjectionPolicy
    unsafe_rules_off: tuple[str, ...]
    trusted_facts: tuple[str, ...]
    handoff: frozenset[str]
    pii: PiiOptions
    texts: Mapping[str, Mapping[str, str]]

    def action(self, family: str, direction: Direction) -> Action | None:
        """What the guard's findings lead to; None if it does not run."""
        return self.actions.get((family, direction))

    def wants(self, family: str) -> bool:
        """Whether the guard runs in any direction."""
        return any(name == family for name, _ in self.actions)

    def only(self, family: str) -> Policy:
        """The same policy with no guard but this one, and the encoding check; for measuring it by itself."""
        kept = {key: action for key, action in self.actions.items() if key[0] in (family, "encoding")}
        return replace(self, actions=kept)


def load_policy(path: Path = DEFAULT_POLICY) -> Policy:
    """Read and validate a policy file.

    Raises:
        PolicyError: it cannot be read, or a key is unknown, missing, of another type or out of range; names the key.
    """
    try:
        data = path.read_bytes()
        content = tomllib.loads(data.decode("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise PolicyError(str(path), "file", f"cannot be read as TOML ({error})") from error
    return _policy(Table(content, str(path)), hashlib.sha256(data).hexdigest()[:_STAMP_DIGITS])


def _policy(root: Table, digest: str) -> Policy:
    root.expect("version", "size", "guards", "handoff", "toxicity", "injection", "unsafe", "facts", "pii", "texts")
    size = root.table("size").expect("max_input_chars", "max_output_chars", "max_guard_ms")
    toxicity = root.table("toxicity").expect("ignored_labels", "thresholds")
    thresholds = toxicity.table("thresholds")
    injection = root.table("injection").expect("rules_off", "thresholds")
    certain = injection.table("thresholds").among("classifier", "encoder", "both")
    unsafe = root.table("unsafe").expect("rules_off")
    facts = root.table("facts").expect("trusted")
    handoff = root.table("handoff").expect("families")
    pii = root.table("pii").expect("kinds", "regions")
    texts = root.table("texts").expect(*LANGUAGES)
    return Policy(
        stamp=f"{root.text('version')}+{digest}",
        size=SizeLimits(
            size.integer("max_input_chars", 1, _MAX_CHARS),
            size.integer("max_output_chars", 1, _MAX_CHARS),
            size.integer("max_guard_ms", 10, _MAX_GUARD_MS),
        ),
        actions=_actions(root.table("guards")),
        toxicity=ToxicityPolicy(
            {label: thresholds.probability(label) for label in thresholds.names()}, toxicity.texts("ignored_labels")
        ),
        injection=InjectionPolicy(
            injection.choices("rules_off", NAMES), {name: certain.probability(name) for name in certain.names()}
        ),
        unsafe_rules_off=unsafe.choices("rules_off", UNSAFE_NAMES),
        trusted_facts=facts.texts("trusted"),
        handoff=frozenset(handoff.choices("families", TEXT_FAMILIES)),
        pii=PiiOptions(
            tuple(PiiKind(kind) for kind in pii.choices("kinds", list(PiiKind))),
            pii.choices("regions", SUPPORTED_REGIONS),
        ),
        texts={language: _texts(texts.table(language)) for language in LANGUAGES},
    )


def _actions(guards: Table) -> dict[tuple[str, Direction], Action]:
    guards.expect(*CHOICES)
    actions: dict[tuple[str, Direction], Action] = {}
    for family, directions in CHOICES.items():
        row = guards.table(family).expect(*directions)
        for direction, choices in directions.items():
            choice = row.choice(direction, choices)
            if choice != _OFF:
                actions[family, direction] = Action(choice)
    return actions


def _texts(table: Table) -> dict[str, str]:
    table.expect(*TEXT_FAMILIES)
    return {family: table.text(family) for family in TEXT_FAMILIES}
