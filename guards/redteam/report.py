"""What the attacks came to: counts by kind, what went wrong, and how long answers took; as Markdown and as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields

from guards.evaluation.bootstrap import Bootstrap, Interval
from guards.evaluation.evaluate_report import share
from guards.evaluation.speed_latency import Latency
from guards.redteam.play import Fate, Played

_CASES = 100
_CELL_CHARS = 240


@dataclass(frozen=True, slots=True)
class Tally:
    """Conversations of one group by their fate."""

    played: int
    refused: int
    answered: int
    harmful: int
    failed: int

    @classmethod
    def of(cls, rows: Sequence[Played]) -> Tally:
        """Count them."""
        counts = Counter(row.fate for row in rows)
        return cls(len(rows), *(counts[fate] for fate in (Fate.REFUSED, Fate.ANSWERED, Fate.HARMFUL, Fate.FAILED)))


@dataclass(frozen=True, slots=True)
class RedTeamReport:
    """All results of a run.

    Attributes:
        attacks: of the attacks, in all modes.
        harmless: of the harmless conversations; their refusals are false alarms.
        harmful_interval: 95 % interval of the attacks' share that was harmful; None without attacks.
        kinds: of the attacks, by kind and mode.
        sources: of the attacks, by source.
        signs: how often each kind of harmful sign was seen.
        rules: how often each rule refused.
        latency: per fate, of single messages.
        server: what ``/health`` said at the beginning.
        played: every conversation.
    """

    attacks: Tally
    harmless: Tally
    harmful_interval: Interval | None
    kinds: Mapping[str, Tally]
    sources: Mapping[str, Tally]
    signs: Mapping[str, int]
    rules: Mapping[str, int]
    latency: Mapping[str, Latency]
    server: Mapping[str, object]
    played: tuple[Played, ...]

    @property
    def good(self) -> bool:
        """Whether no attack got what it wanted, and every message was answered or refused."""
        return not any((self.attacks.harmful, self.harmless.harmful, self.attacks.failed, self.harmless.failed))

    def to_dict(self) -> dict[str, object]:
        """For JSON."""
        plain = {entry.name: getattr(self, entry.name) for entry in fields(self)}
        made = {
            name: {key: asdict(row) if isinstance(row, Tally | Latency) else row for key, row in value.items()}
            for name, value in plain.items()
            if isinstance(value, Mapping)
        }
        return {
            "good": self.good,
            **made,
            "attacks": asdict(self.attacks),
            "harmless": asdict(self.harmless),
            "harmful_interval": asdict(self.harmful_interval) if self.harmful_interval else None,
            "played": [row.to_dict() for row in self.played],
        }

    def report(self) -> str:
        """As Markdown."""
        attacks, harmless = self.attacks, self.harmless
        sure = self.harmful_interval
        within = f" (95 %: {100 * sure.low:.1f} to {100 * sure.high:.1f})" if sure else ""
        said = ", ".join(
            f"{name} {_cell(str(self.server[name]))}" for name in ("model", "policy") if name in self.server
        )
        lines = [
            "# Red team",
            "",
            f"Server: {said or 'unknown'}, guard {_cell(str(self.server.get('guard', 'unknown')))}, "
            f"degraded: {_cell(str(self.server.get('degraded') or 'no'))}.",
            "",
            f"- attacks: {attacks.played} played, {attacks.refused} refused "
            f"({_part(attacks.refused, attacks.played)}), {attacks.answered} answered without a harmful sign, "
            f"{attacks.failed} without an answer",
            f"- **harmful: {attacks.harmful}** ({_part(attacks.harmful, attacks.played)}{within})",
            f"- harmless: {harmless.played} played, {harmless.refused} refused by mistake "
            f"({_part(harmless.refused, harmless.played)})",
            "",
            *_tallies("kind, mode", self.kinds),
            *_tallies("source", self.sources),
            *_markdown(("sign", "conversations"), [(name, str(count)) for name, count in self.signs.items()]),
            *_markdown(
                ("rule that refused", "conversations"), [(name, str(count)) for name, count in self.rules.items()]
            ),
            *_latencies(self.latency),
        ]
        for title, rows in self._cases().items():
            if rows:
                lines += [f"## {title}: {len(rows)}", "", *_conversations(rows)]
        return "\n".join(lines).rstrip() + "\n"

    def _cases(self) -> dict[str, list[Played]]:
        def those(wanted: Callable[[Played], bool]) -> list[Played]:
            return [row for row in self.played if wanted(row)]

        return {
            "Harmful": those(lambda row: row.fate == Fate.HARMFUL),
            "No answer": those(lambda row: row.fate == Fate.FAILED),
            "Harmless, but refused": those(lambda row: not row.attack and row.fate == Fate.REFUSED),
            "Attacks that were answered": those(lambda row: row.attack and row.fate == Fate.ANSWERED),
        }


def summed_up(played: Sequence[Played], server: Mapping[str, object]) -> RedTeamReport:
    """The report on the results.

    Raises:
        ValueError: there are none.
    """
    if not played:
        raise ValueError("no attack was played; expected at least one")
    attacks = [row for row in played if row.attack]
    kinds = {f"{row.kind}, {row.mode}": None for row in sorted(attacks, key=lambda row: (row.kind, row.mode))}
    sources = sorted({row.source for row in attacks if row.source})
    fates = [fate.value for fate in Fate if any(row.fate == fate for row in played)]
    return RedTeamReport(
        attacks=Tally.of(attacks),
        harmless=Tally.of([row for row in played if not row.attack]),
        harmful_interval=Bootstrap().share([row.fate == Fate.HARMFUL for row in attacks]),
        kinds={name: Tally.of([row for row in attacks if f"{row.kind}, {row.mode}" == name]) for name in kinds},
        sources={name: Tally.of([row for row in attacks if row.source == name]) for name in sources},
        signs=dict(Counter(kind for row in played for kind in {sign.kind.value for sign in row.signs}).most_common()),
        rules=dict(Counter(row.rule for row in played if row.fate == Fate.REFUSED).most_common()),
        latency={fate: Latency.of([ms for row in played if row.fate == fate for ms in row.took_ms]) for fate in fates},
        server=server,
        played=tuple(played),
    )


def _part(count: int, total: int) -> str:
    return share(count / total if total else None)


def _tallies(head: str, rows: Mapping[str, Tally]) -> list[str]:
    cells = [
        (name, str(row.played), str(row.refused), str(row.answered), str(row.harmful), str(row.failed))
        for name, row in rows.items()
    ]
    return _markdown((head, "played", "refused", "answered", "harmful", "no answer"), cells)


def _latencies(rows: Mapping[str, Latency]) -> list[str]:
    cells = [
        (fate, str(row.count), f"{row.p50_ms:.0f}", f"{row.p95_ms:.0f}", f"{row.max_ms:.0f}")
        for fate, row in rows.items()
    ]
    return _markdown(("messages of conversations", "count", "p50 ms", "p95 ms", "longest ms"), cells)


def _markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    if not rows:
        return []
    lines = [head, ["---"] * len(head), *([_cell(cell) for cell in row] for row in rows)]
    return [*("| " + " | ".join(line) + " |" for line in lines), ""]


def _conversations(rows: Sequence[Played]) -> list[str]:
    lines = []
    for row in rows[:_CASES]:
        signs = "; ".join(f"{sign.kind.value}: {sign.detail}" for sign in row.signs)
        lines.append(f"- line {row.line}, {_cell(row.kind)}, {row.mode}; {_cell(signs or row.rule or 'no rule')}")
        for turn, answer in zip(row.turns, row.answers, strict=True):
            lines += [f"    - asked: {_cell(turn)}", f"    - given: {_cell(answer) or '(nothing)'}"]
    if len(rows) > _CASES:
        lines.append(f"- and {len(rows) - _CASES} more, in the JSON file")
    return [*lines, ""]


def _cell(text: str) -> str:
    """A text as one line of Markdown that shows it and obeys nothing in it."""
    flat = " ".join(text.encode("utf-8", "backslashreplace").decode("utf-8").split())
    flat = flat if len(flat) <= _CELL_CHARS else flat[:_CELL_CHARS] + "…"
    return "".join(f"\\{char}" if char in "\\`*_{}[]<>#|!~" else char for char in flat)
