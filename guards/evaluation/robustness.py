"""How much of what is caught plain is still caught in disguise, and what views ordinary texts cost."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

from guards.evaluation.obfuscate import ACCEPTED, OBFUSCATIONS
from guards.views.several import views_of


@dataclass(frozen=True, slots=True)
class Robustness:
    """Recall under disguises, on the attacks that are caught plain.

    Attributes:
        attacks: texts given.
        caught_plain: of these, caught as they stand; what the recalls are shares of.
        recall: per obfuscation, the share still caught, 0 to 1.
        accepted: names of the obfuscations that the acceptance counts.
    """

    attacks: int
    caught_plain: int
    recall: Mapping[str, float]
    accepted: tuple[str, ...] = tuple(ACCEPTED)

    @property
    def worst_fall_points(self) -> float:
        """Percentage points by which the recall falls under the worst of the accepted obfuscations."""
        return max((100.0 * (1.0 - self.recall[name]) for name in self.accepted if name in self.recall), default=0.0)

    def to_dict(self) -> dict[str, object]:
        """For JSON: recalls to four decimals."""
        return {
            **asdict(self),
            "recall": {name: round(recall, 4) for name, recall in self.recall.items()},
            "accepted": list(self.accepted),
            "worst_fall_points": round(self.worst_fall_points, 2),
        }


@dataclass(frozen=True, slots=True)
class ViewCost:
    """What the views of ordinary texts cost: their number, those with more than one view, and the mean time."""

    texts: int
    with_derived: int
    mean_ms: float

    def to_dict(self) -> dict[str, object]:
        """For JSON, with the share of texts that get a derived view."""
        return {**asdict(self), "share_derived": self.with_derived / self.texts if self.texts else 0.0}


def evaluate_robustness(attacks: Sequence[str], caught: Callable[[str], bool], seed: int = 5) -> Robustness:
    """Disguise every attack that ``caught`` catches in each of ``OBFUSCATIONS``, and ask again."""
    plain = [text for text in attacks if caught(text)]
    recall: dict[str, float] = {}
    for name, obfuscate in OBFUSCATIONS.items():
        rng = random.Random(f"{seed} {name}")
        recall[name] = sum(caught(obfuscate(text, rng)) for text in plain) / len(plain) if plain else 0.0
    return Robustness(len(attacks), len(plain), recall)


def evaluate_view_cost(texts: Iterable[str]) -> ViewCost:
    """Count and time ``views_of`` on ordinary texts."""
    count = derived = 0
    begun = time.perf_counter()
    for text in texts:
        count += 1
        derived += len(views_of(text)) > 1
    took_ms = (time.perf_counter() - begun) * 1000.0
    return ViewCost(count, derived, took_ms / count if count else 0.0)


def report(figures: Robustness) -> str:
    """A table with one row per obfuscation; those that the acceptance counts are starred."""
    head = f"{figures.caught_plain} of {figures.attacks} attacks are caught plain; of these in disguise:"
    rows = [
        f"  {name:16}{'*' if name in figures.accepted else ' '} {100 * r:6.1f} %" for name, r in figures.recall.items()
    ]
    return "\n".join([head, *rows, f"* counted: the worst falls by {figures.worst_fall_points:.1f} points"])
