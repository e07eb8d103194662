"""The tables of a report in order."""

from __future__ import annotations

from bench.cells import NOTHING, Row, Table, cell, ms, number, spread
from bench.compare import Comparison
from bench.result import Result
from bench.summary import LoopSummary, Summary
from bench.workload import MEAN_TURNS

#: Parts of this project's ``/health`` that are no settings.
_MOMENTARY = ("load", "sessions")


def report_tables(result: Result, summary: Summary) -> tuple[Table, ...]:
    """Every table of a report, in order; those without rows are left out."""
    tables = (
        machine_table(result),
        latency_table(summary),
        speed_table(summary),
        sweep_table(summary),
        kind_table(summary),
        guard_table(result, summary),
        alone_table(result),
        roofline_table(result),
        resource_table(result, summary),
    )
    return tuple(table for table in tables if table.rows)


def machine_table(result: Result) -> Table:
    """Machine, target and traffic."""
    machine, target, options = result.machine, result.target, result.traffic.options
    virtual = ", virtual" if machine.is_virtual else ""
    rows = [
        ("measured", f"{result.created_utc}, bench {result.bench_version}, schema {result.schema_version}"),
        ("processor", f"{machine.cpu or machine.board}, {machine.cores} cores, {machine.usable_cpus} usable{virtual}"),
        ("flags", " ".join(machine.flags) or NOTHING),
        ("governor", machine.governor or "not visible"),
        ("memory", f"{machine.ram_bytes / 2**30:.1f} GiB, swap {machine.swap_bytes / 2**30:.1f} GiB"),
        ("system", f"{machine.os}, kernel {machine.kernel}, {machine.architecture}, Python {machine.python}"),
        ("libraries", ", ".join(f"{name} {version}" for name, version in machine.libraries.items()) or NOTHING),
        ("engine's build", machine.engine_build or NOTHING),
        ("target", f"{target.model} at {target.url}" + (", started by bench" if target.started else "")),
        ("settings", settings(result)),
        (
            "bundle",
            ", ".join(f"{name} {sha[:12]}" for name, sha in sorted(target.bundle_files.items())) or "not at hand",
        ),
        ("traffic", f"{result.traffic.plan}, seed {options.seed}, {options.max_tokens} tokens an answer"),
        ("noise", "; ".join(result.noise.complaints) or f"quiet (drift {result.noise.drift:+.1%})"),
    ]
    return Table("Machine and target", ("", ""), tuple(rows))


def settings(result: Result) -> str:
    """The settings that ``/health`` tells, one level deep; what changes from moment to moment is left out."""
    parts: list[str] = []
    for name, value in result.target.health.items():
        if name in _MOMENTARY:
            continue
        inner = value.items() if isinstance(value, dict) else ((name, value),)
        parts.extend(f"{key} {item}" for key, item in inner if isinstance(item, str | int | float) and item != "")
    return ", ".join(parts) or "not told"


def latency_table(summary: Summary) -> Table:
    """Time to first token, gaps and whole answers of each loop."""
    rows = tuple(
        (
            loop.name,
            str(loop.answered),
            *(ms(e) for e in (loop.ttft_ms.p50, loop.ttft_ms.p90)),
            ms(loop.ttft_ms.p99, with_interval=False),
            ms(loop.tpot_ms.p50, with_interval=False),
            ms(loop.itl_ms.p50, with_interval=False),
            ms(loop.itl_ms.p99, with_interval=False),
            *(ms(e, with_interval=False) for e in (loop.e2e_ms.p50, loop.e2e_ms.p90, loop.e2e_ms.p99)),
        )
        for loop in summary.loops
    )
    head = ("loop", "answers", *(f"TTFT {q}" for q in ("p50", "p90", "p99")), "TPOT p50", "ITL p50", "ITL p99")
    note = "In brackets: 95 % bootstrap interval. p99 of fewer than 100 answers is close to the slowest one."
    return Table("Waiting, in milliseconds", (*head, "E2E p50", "E2E p90", "E2E p99"), rows, note)


def speed_table(summary: Summary) -> Table:
    """Tokens a second, and what became of the requests."""
    rows = tuple(
        (
            loop.name,
            cell(loop.rate),
            cell(loop.together),
            f"{loop.within_slo:.0%}",
            f"{loop.cached_share:.0%}",
            _bad(loop),
        )
        for loop in summary.loops
    )
    head = ("loop", "tokens/s per chat", "tokens/s together", "within promise", "prompt kept", "not answered")
    return Table(
        "Speed", head, rows, "Prompt kept: share of prompt tokens that the target says it did not compute again."
    )


def sweep_table(summary: Summary) -> Table:
    """Open loops: what came, what was answered in time."""
    rows = tuple(
        (
            f"{loop.rate_per_s or 0.0:.3g}",
            f"{60.0 * (loop.rate_per_s or 0.0) / MEAN_TURNS:.3g}",
            f"{loop.goodput_per_s:.3g}",
            f"{loop.within_slo:.0%}",
            ms(loop.ttft_ms.p90),
            _bad(loop),
        )
        for loop in summary.loops
        if loop.kind == "open"
    )
    head = ("questions/s", "customers/min", "goodput/s", "within promise", "TTFT p90, ms", "not answered")
    ended = "goodput fell or the queue grew" if summary.saturated else "all rates were tried"
    note = f"Latencies count from the scheduled arrival. The sweep ended because {ended}."
    return Table("Customers who arrive by themselves (Poisson)", head, rows, note)


def roofline_table(result: Result) -> Table:
    """The machine's limits and how near the target comes."""
    roof = result.roofline
    if roof is None:
        return Table("Roofline", ("", ""), ())
    rows = [
        ("memory read", f"{roof.bandwidth_bytes_per_s / 1e9:.1f} GB/s"),
        ("float32 matrix product", f"{roof.matrix_flop_per_s / 1e9:.0f} GFLOP/s"),
        ("model", f"{roof.model_bytes / 1e6:.1f} MB, {roof.parameters / 1e6:.1f} M parameters"),
        ("decode, one chat", _against(roof.decode_per_s, roof.decode_bound_per_s, roof.decode_share)),
        ("prefill, cold prompts alone", _against(roof.prefill_per_s, roof.prefill_bound_per_s, roof.prefill_share)),
    ]
    note = "Prefill counts everything up to the first token, guards too. A small model stays below: other costs rule."
    return Table("Roofline", ("", ""), tuple(rows), note)


def _against(rate: float | None, bound: float | None, share: float | None) -> str:
    if rate is None or bound is None or share is None:
        return NOTHING
    return f"{number(rate)} of {number(bound)} tokens/s ({share:.1%})"


def _bad(loop: LoopSummary) -> str:
    counts = (("blocked", loop.blocked), ("refused", loop.refused), ("failed", loop.failed))
    return ", ".join(f"{count} {name}" for name, count in counts if count) or "0"


def kind_table(summary: Summary) -> Table:
    """Time to first token by what was kept and by what was asked, and of blocks."""
    rows = [(kind.kind, str(kind.answers), *spread(kind.ttft_ms)) for kind in (*summary.kinds, *summary.asked)]
    if summary.attacks:
        rows.append(
            (f"blocked (of {summary.attacks} attacks)", str(summary.attacks_blocked), *spread(summary.block_ms))
        )
    note = (
        "First by what the target did not compute (prefix-cached: half of the prompt or more), then by what was asked. "
        "A block is timed to the end of its answer."
    )
    return Table(
        "Time to first token by kind, in milliseconds", ("kind", "answers", "p50", "p90", "p99"), tuple(rows), note
    )


def guard_table(result: Result, summary: Summary) -> Table:
    """Stages of an answer over ``/api/query``."""
    rows = tuple((stage.stage, *spread(stage.took_ms)) for stage in summary.stages)
    share = f"Guards take {summary.guard_share:.1%} of an answer's time. " if summary.guard_share is not None else ""
    queries = result.guard.queries
    computed = sum(query.computed for query in queries)
    counts = f"{computed} of {len(queries)} answers of /api/query were computed by the model. " if queries else ""
    head = ("stage", "p50", "p90", "p99")
    return Table("Stages of an answer, in milliseconds", head, rows, counts + share + result.guard.missing)


def alone_table(result: Result) -> Table:
    """The guard called directly."""
    rows = []
    for timing in result.guard.alone:
        times = sorted(timing.times_ms)
        rows.append((f"{timing.words} words", number(times[len(times) // 2]), number(times[-1])))
    return Table("The guard alone, in milliseconds", ("text", "median", "slowest of 20"), tuple(rows))


def resource_table(result: Result, summary: Summary) -> Table:
    """Memory, processor time, start."""
    rows: list[Row] = [("TTFT of the very first request", f"{number(result.first_ttft_ms)} ms")]
    if result.target.ready_s is not None:
        rows.append(("start to ready, files verified", f"{result.target.ready_s:.2f} s"))
    if result.restart is not None:
        again = f"{result.restart.ready_s:.2f} s, first TTFT {number(result.restart.first_ttft_ms)} ms"
        rows.append(("started again", again))
    if result.usage:
        rows.append(("peak memory of the server (RSS)", f"{result.usage.peak_rss_bytes / 2**20:,.0f} MiB"))
    rows.extend(_sampled(result))
    if result.target.bundle_bytes:
        rows.append(("model file", f"{result.target.bundle_bytes / 2**20:,.1f} MiB"))
    for loop in summary.loops:
        if loop.cpu_s_per_answer is not None:
            energy = f", {loop.joules_per_answer:.2f} J" if loop.joules_per_answer is not None else ""
            rows.append((f"processor time an answer, {loop.name}", f"{loop.cpu_s_per_answer:.2f} s{energy}"))
    if (same := summary.self_comparison) is not None:
        text = f"{same.difference:+.1%} ({same.low:+.1%} to {same.high:+.1%})"
        rows.append(("A/A: E2E p50, odd against even requests", text))
    return Table("Resources and trust", ("", ""), tuple(rows))


def _sampled(result: Result) -> list[Row]:
    """What the time line says in all."""
    samples = result.samples
    if not samples:
        return []
    rows: list[Row] = []
    if shared := [sample.pss_bytes for sample in samples if sample.pss_bytes is not None]:
        rows.append(("peak memory, shared pages by share (PSS)", f"{max(shared) / 2**20:,.0f} MiB"))
    minor, major = (
        samples[-1].minor_faults - samples[0].minor_faults,
        samples[-1].major_faults - samples[0].major_faults,
    )
    rows.append(("page faults, of which from disk", f"{minor + major:,}, {major:,}"))
    if warm := [sample.temperature_c for sample in samples if sample.temperature_c is not None]:
        rows.append(("temperature", f"{min(warm):.0f} to {max(warm):.0f} °C"))
    tells = samples[-1].throttled is not None, samples[-1].energy_j is not None
    silent = [name for name, told in zip(("throttling", "energy"), tells, strict=True) if not told]
    if samples[-1].throttled is not None:
        rows.append(("throttling counter", f"{samples[0].throttled} to {samples[-1].throttled}"))
    if silent:
        rows.append(("not readable on this machine", ", ".join(silent)))
    return rows


def comparison_table(comparison: Comparison) -> Table:
    """All figures of two runs."""
    rows = tuple(
        (
            change.loop,
            change.figure,
            number(change.before_ms),
            number(change.after_ms),
            f"{change.change:+.1%} ({change.low:+.1%} to {change.high:+.1%})",
            "WORSE" if change.is_worse else "",
        )
        for change in comparison.changes
    )
    note = f"Worse: more than {comparison.fail_over:.0%} slower, and the interval of the change excludes zero."
    return Table("B against A, in milliseconds", ("loop", "figure", "A", "B", "change", ""), rows, note)
