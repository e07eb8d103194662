"""How much personal data is found on labelled texts, by kind: recall, precision, and what is not looked for at all."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass

from guards.errors import InputFileError
from guards.pii.find import DEFAULT, Finding, PiiKind, PiiOptions, find_pii

#: Names of types in other data sets (Presidio's above all), and the kind that covers them.
KIND_OF_TYPE: Mapping[str, PiiKind] = {
    **{kind.value: kind for kind in PiiKind},
    "EMAIL_ADDRESS": PiiKind.EMAIL,
    "IBAN_CODE": PiiKind.IBAN,
    "CN_ID": PiiKind.ID,
    "US_SSN": PiiKind.ID,
    "CREDIT_CARD": PiiKind.CARD,
    "PHONE_NUMBER": PiiKind.PHONE,
    "STREET_ADDRESS": PiiKind.ADDRESS,
    "LOCATION_ADDRESS": PiiKind.ADDRESS,
    "PERSON": PiiKind.NAME,
}
#: Types that are part of a kind but no personal data by themselves: nobody misses them, and finding one is no error.
PART_OF_KIND: Mapping[str, PiiKind] = {
    "GPE": PiiKind.ADDRESS,
    "LOCATION": PiiKind.ADDRESS,
    "ZIP_CODE": PiiKind.ADDRESS,
    "TITLE": PiiKind.NAME,
}


@dataclass(frozen=True, slots=True)
class LabelledSpan:
    """Personal data at ``text[start:end]``; ``type`` is the data set's word for it."""

    type: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class LabelledPii:
    """A text and all the personal data in it."""

    text: str
    spans: tuple[LabelledSpan, ...]


@dataclass(frozen=True, slots=True)
class KindFigures:
    """One kind's figures.

    Attributes:
        labelled: spans of the kind in the data.
        found: of these, those that a finding of the kind touches.
        whole: of these, those of which every character lies in findings of any kind.
        findings: findings of the kind.
        right: of these, those that touch a labelled span of the kind, or of a part of it.
    """

    labelled: int
    found: int
    whole: int
    findings: int
    right: int

    @property
    def recall(self) -> float | None:
        """Share of the labelled spans that were found; None without any."""
        return self.found / self.labelled if self.labelled else None

    @property
    def precision(self) -> float | None:
        """Share of the findings that were right; None without any."""
        return self.right / self.findings if self.findings else None


@dataclass(frozen=True, slots=True)
class PiiFigures:
    """Figures for a whole file.

    Attributes:
        texts: how many.
        kinds: per kind that was looked for.
        not_sought: per type of the data for which there is no rule, how many spans there are.
    """

    texts: int
    kinds: Mapping[PiiKind, KindFigures]
    not_sought: Mapping[str, int]

    def to_dict(self) -> dict[str, object]:
        """For JSON, with recall and precision per kind."""
        kinds = {
            kind.value: {**asdict(figures), "recall": figures.recall, "precision": figures.precision}
            for kind, figures in self.kinds.items()
        }
        return {"texts": self.texts, "kinds": kinds, "not_sought": dict(self.not_sought)}


def read_labelled_pii(lines: Iterable[str], file: str) -> Iterator[LabelledPii]:
    """``text`` and ``spans`` (each with ``type``, ``start`` and ``end``) of every line of a JSONL file.

    Raises:
        InputFileError: a line is not such an object, or a span does not lie in its text.
    """
    for number, line in enumerate(lines, start=1):
        if line.strip():
            try:
                row = json.loads(line)
                spans = tuple(LabelledSpan(str(s["type"]), int(s["start"]), int(s["end"])) for s in row["spans"])
                labelled = LabelledPii(row["text"], spans)
            except (ValueError, TypeError, KeyError) as error:
                raise InputFileError(
                    file, number, f"is no labelled text ({error!r}); expected text and spans"
                ) from error
            if not isinstance(labelled.text, str) or any(
                not 0 <= span.start < span.end <= len(labelled.text) for span in labelled.spans
            ):
                raise InputFileError(file, number, "has a span that does not lie in its text")
            yield labelled


def evaluate_pii(texts: Iterable[LabelledPii], options: PiiOptions = DEFAULT) -> PiiFigures:
    """Look for personal data in every text and compare."""
    counts: dict[PiiKind, Counter[str]] = {kind: Counter() for kind in PiiKind if kind in options.kinds}
    not_sought: Counter[str] = Counter()
    rows = list(texts)
    for row in rows:
        findings = find_pii(row.text, options)
        _count_labelled(row, findings, counts, not_sought)
        for finding in findings:
            counts[finding.kind]["findings"] += 1
            counts[finding.kind]["right"] += any(_is_right(finding, span) for span in row.spans)
    kinds = {
        kind: KindFigures(count["labelled"], count["found"], count["whole"], count["findings"], count["right"])
        for kind, count in counts.items()
    }
    return PiiFigures(len(rows), kinds, dict(sorted(not_sought.items())))


def _count_labelled(
    row: LabelledPii, findings: Collection[Finding], counts: Mapping[PiiKind, Counter[str]], not_sought: Counter[str]
) -> None:
    covered = {at for finding in findings for at in range(finding.start, finding.end)}
    for span in row.spans:
        kind = KIND_OF_TYPE.get(span.type)
        if kind is None or kind not in counts:
            not_sought[span.type] += 1
            continue
        counts[kind]["labelled"] += 1
        counts[kind]["found"] += any(finding.kind is kind and _touch(finding, span) for finding in findings)
        counts[kind]["whole"] += covered.issuperset(range(span.start, span.end))


def _is_right(finding: Finding, span: LabelledSpan) -> bool:
    return finding.kind in (KIND_OF_TYPE.get(span.type), PART_OF_KIND.get(span.type)) and _touch(finding, span)


def report(figures: PiiFigures) -> str:
    """A table to read, one kind a line."""
    lines = [
        f"{figures.texts} texts",
        f"{'kind':8} {'labelled':>8} {'found':>6} {'whole':>6} {'recall':>7} {'findings':>8} {'right':>6}"
        f" {'precision':>9}",
    ]
    for kind, row in figures.kinds.items():
        lines.append(
            f"{kind.value:8} {row.labelled:8} {row.found:6} {row.whole:6} {_share(row.recall):>7} {row.findings:8}"
            f" {row.right:6} {_share(row.precision):>9}"
        )
    if figures.not_sought:
        lines.append("not looked for: " + ", ".join(f"{name} {count}" for name, count in figures.not_sought.items()))
    return "\n".join(lines)


def _touch(finding: Finding, span: LabelledSpan) -> bool:
    return finding.start < span.end and span.start < finding.end


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"
