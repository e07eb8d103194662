"""The tables of engine and draft measurements as plain text cells, the same for the terminal and for Markdown."""

from __future__ import annotations

import statistics

from bench.cells import NOTHING, Table, number
from bench.engine.draftresult import DraftResult
from bench.engine.figures import OURS, Scenario
from bench.engine.outcome import Row, Spread, cached_share, faults, ours_alone, prompts_differ, rows
from bench.engine.result import EngineResult

#: The counts of ours that say how much was not computed.
_COUNTS = ("prefill_tokens", "decode_tokens", "cached_tokens", "restored_tokens", "blob_disk_bytes", "blob_faults")


def engine_tables(result: EngineResult) -> tuple[Table, ...]:
    """Every table, in order; those without rows are left out."""
    tables = (_setting(result), _promises(result), _alone(result), _cached(result), _sides(result))
    return tuple(table for table in tables if table.rows)


def drafts_table(result: DraftResult) -> Table:
    """What drafts gain, one row for each kind of answers."""
    head = ("answers", "tokens/s", "without", "ratio", "limit", "kept", "identical", "without drafts", "accepted")
    rows = tuple(
        (
            row.kind,
            f"{row.rates[0]:.0f}",
            f"{row.rates[1]:.0f}",
            f"{statistics.median(row.ratios):.2f} ({min(row.ratios):.2f}–{max(row.ratios):.2f})",
            f"≥ {row.limit:.2f}",
            "yes" if row.kept else "NO",
            f"{row.identical} of {row.answers}",
            f"{row.identical_anyway} of {row.answers}",
            f"{row.accepted_tokens} of {row.drafted_tokens}",
        )
        for row in result.rows
    )
    noise = "; ".join(result.noise.complaints) or "quiet"
    note = (
        f"{result.created_utc}, {result.machine.cpu}, {result.threads or 'auto'} threads, "
        f"model {result.model_sha256[:12]}, "
        f"{noise}. Ratio: median over the rounds (least–largest). Identical: answers equal with and without drafts; "
        "beside it, asked twice without drafts, with other cells in use: the rest is rounding, at near ties."
    )
    return Table("Drafts", head, rows, note)


def sentence(result: EngineResult) -> str:
    """The outcome in one sentence."""
    found = rows(result)
    if not found:
        return "Nothing was compared: no peer was named."
    missed = [row for row in found if not row.kept]
    if not missed:
        return f"All {len(found)} promises were kept."
    names = "; ".join(f"{row.label} ({row.peer})" for row in missed)
    return f"{len(found) - len(missed)} of {len(found)} promises were kept; not kept: {names}."


def caveats(result: EngineResult) -> tuple[str, ...]:
    """What a reader has to know beside the figures."""
    rounds = max((turn.number for turn in result.turns), default=0)
    found = [*faults(result), *prompts_differ(result), *(f"Not quiet: {said}." for said in result.noise.complaints)]
    if rounds < 3:
        found.append(f"Only {rounds} round{'s'[: rounds > 1]}: too few for a spread; take three or more.")
    return tuple(found)


def _setting(result: EngineResult) -> Table:
    machine = result.machine
    flags, sizes = " ".join(machine.flags), result.sizes
    found = (
        ("measured", f"{result.created_utc}, schema {result.engine_schema}"),
        ("processor", f"{machine.cpu or machine.board}, {machine.cores} cores, {machine.usable_cpus} usable; {flags}"),
        ("memory", f"{machine.ram_bytes / 2**30:.1f} GiB"),
        ("libraries", ", ".join(f"{name} {version}" for name, version in machine.libraries.items())),
        ("model", f"{result.model_name}, {result.model_bytes / 1e6:.1f} MB, sha256 {result.model_sha256[:12]}"),
        ("threads", f"{result.threads}, KV cells where named: {result.cells}"),
        (
            "traffic",
            f"seed {result.seed}, {sizes.together} chats at once, {sizes.away} that were away, answers of "
            f"{sizes.answer_tokens} tokens, greedy, texts {result.texts_sha256[:12]}",
        ),
        ("noise", "; ".join(result.noise.complaints) or f"quiet (drift {result.noise.drift:+.1%})"),
    )
    return Table("Engine measurement", ("", ""), found)


def _promises(result: EngineResult) -> Table:
    head = ("figure", "peer", "ours", "peer's", "ratio", "limit", "kept")
    note = (
        "Median over the rounds (least–largest). Each round's ratio is ours to the peer's in that round. Compared are "
        "the engines and their HTTP services: ours runs without guard, sessions and answer cache, since the peer has "
        "none. Every turn begins with a fresh server."
    )
    return Table("Ours against the peer", head, tuple(_cells(row) for row in rows(result)), note)


def _cells(row: Row) -> tuple[str, ...]:
    limit = f"{'≥' if row.at_least else '≤'} {row.limit:.2f}"
    ours, theirs = (_spread(spread, row.scale) for spread in (row.ours, row.theirs))
    return (
        *(f"{row.label} ({row.unit})", row.peer, ours, theirs),
        *(_spread(row.ratio, 1.0), limit, "yes" if row.kept else "NO"),
    )


def _alone(result: EngineResult) -> Table:
    if len(result.sides) > 1:
        return Table("", (), ())
    found = tuple((f"{one.label} ({one.unit})", _spread(spread, one.scale)) for one, spread in ours_alone(result))
    return Table("Ours alone", ("figure", "median (least–largest)"), found)


def _cached(result: EngineResult) -> Table:
    names = [side.name for side in result.sides]
    found = []
    for scenario in Scenario:
        shares = [cached_share(result, name, scenario) for name in names]
        if any(share is not None for share in shares):
            found.append((scenario.value, *(NOTHING if share is None else f"{share:.0%}" for share in shares)))
    return Table("Prompt tokens that were not computed again, as each side says", ("scenario", *names), tuple(found))


def _sides(result: EngineResult) -> Table:
    found = []
    for side in result.sides:
        found.append((side.name, f"{side.command} {side.build}".strip()))
        if side.name == OURS:
            found.extend(("", note) for note in side.notes)
            counts = ", ".join(f"{name} {side.load[name]:,.0f}" for name in _COUNTS if name in side.load)
            found.append(("", f"last turn: {counts}"))
    return Table("Sides", ("", ""), tuple(found))


def _spread(spread: Spread | None, scale: float) -> str:
    if spread is None:
        return NOTHING
    low, middle, high = (number(value / scale) for value in (spread.low, spread.median, spread.high))
    return middle if low == high else f"{middle} ({low}–{high})"
