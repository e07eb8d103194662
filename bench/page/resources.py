"""What the server used over time: memory, processors and, where it can be read, temperature; the loops are marked."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from bench.page.canvas import COLOURS, INK, PROMISE, Plot, listed, panels, plot, style
from bench.records import LoopResult
from bench.result import Result, Sample

TITLE = "Memory and processors over time"

#: A loop narrower than this share of the plot has no room for its name.
_LEAST_NAMED = 0.02


def resource_plot(result: Result) -> Plot | None:
    """Memory above, processors below, temperature under them if it is known; None with fewer than two samples."""
    samples = result.samples
    if len(samples) < 2:
        return None
    warm = [(_s(one), one.temperature_c) for one in samples if one.temperature_c is not None]
    loops = [*result.loops, *([result.attacks] if result.attacks else [])]
    with style():
        figure, rows = panels(3 if warm else 2, 1, 2.3, sharex="col")
        columns = [row[0] for row in rows]
        _memory(columns[0], samples)
        _processors(columns[1], samples, result.machine.usable_cpus)
        if warm:
            columns[2].plot([at for at, _ in warm], [celsius for _, celsius in warm], color=COLOURS[1])
            columns[2].set_ylabel("temperature (°C)")
        for axes in columns:
            axes.set_xlim(min(0.0, _s(samples[0])), _s(samples[-1]))
            _spans(axes, loops, named=axes is columns[0])
        columns[-1].set_xlabel("seconds since the run began")
        return plot(figure, "resources", TITLE, _words(samples), _note(samples))


def cores_used(samples: Sequence[Sample]) -> tuple[tuple[float, float], ...]:
    """Moments in seconds and the processors that the server kept busy from the sample before; (samples - 1,) pairs."""
    return tuple(
        (_s(after), (after.cpu_s - before.cpu_s) / (_s(after) - _s(before)))
        for before, after in pairwise(samples)
        if after.at_ms > before.at_ms
    )


def _memory(axes: Axes, samples: Sequence[Sample]) -> None:
    axes.plot([_s(s) for s in samples], [s.rss_bytes / 2**20 for s in samples], color=COLOURS[0], label="RSS")
    shared = [(_s(s), s.pss_bytes / 2**20) for s in samples if s.pss_bytes is not None]
    if shared:
        axes.plot([at for at, _ in shared], [size for _, size in shared], color=COLOURS[1], linestyle="--", label="PSS")
    axes.set_ylim(0.0, 1.12 * max(s.rss_bytes for s in samples) / 2**20)
    axes.set_ylabel("memory (MiB)")
    axes.legend(loc="lower right", ncols=2)


def _processors(axes: Axes, samples: Sequence[Sample], usable: int) -> None:
    used = cores_used(samples)
    axes.step([at for at, _ in used], [cores for _, cores in used], where="pre", color=COLOURS[2], linewidth=1.0)
    if usable:
        axes.axhline(usable, color=PROMISE, linewidth=1.0, linestyle=":")
        axes.annotate(
            f" all {usable}",
            xy=(0.0, usable),
            xycoords=("axes fraction", "data"),
            va="bottom",
            color=PROMISE,
            fontsize=8.0,
        )
    axes.set_ylim(0.0, 1.25 * max([usable, *(cores for _, cores in used)]))
    axes.yaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
    axes.set_ylabel("processors busy")


def _spans(axes: Axes, loops: Sequence[LoopResult], named: bool) -> None:
    """Alternating bands; names above the topmost plot stand upright where they would run into each other."""
    left, right = axes.get_xlim()
    for place, loop in enumerate(loops):
        begin_s = loop.began_ms / 1000.0
        end_s = begin_s + loop.wall_s
        axes.axvspan(begin_s, end_s, color="#5b7c99", alpha=0.16 if place % 2 else 0.07, linewidth=0.0)
        if named and (end_s - begin_s) > _LEAST_NAMED * (right - left):
            axes.text(
                (begin_s + end_s) / 2.0,
                1.02,
                loop.plan.name,
                transform=axes.get_xaxis_transform(),
                rotation=35.0,
                rotation_mode="anchor",
                ha="left",
                va="bottom",
                fontsize=8.0,
                color=INK,
            )


def _s(sample: Sample) -> float:
    return sample.at_ms / 1000.0


def _words(samples: Sequence[Sample]) -> str:
    sizes = [sample.rss_bytes / 2**20 for sample in samples]
    busy = (samples[-1].cpu_s - samples[0].cpu_s) / max(_s(samples[-1]) - _s(samples[0]), 1e-9)
    parts = [
        f"Resident memory from {sizes[0]:,.0f} MiB at the beginning to {sizes[-1]:,.0f} MiB at the end, "
        f"{max(sizes):,.0f} MiB at most",
        f"{busy:.1f} processors busy on average",
    ]
    if warm := [sample.temperature_c for sample in samples if sample.temperature_c is not None]:
        parts.append(f"{min(warm):.0f} to {max(warm):.0f} °C")
    return listed(parts)


def _note(samples: Sequence[Sample]) -> str:
    faults = samples[-1].major_faults - samples[0].major_faults
    pss = " PSS counts memory that is shared with other processes by their share of it."
    has_pss = any(sample.pss_bytes is not None for sample in samples)
    return f"{faults:,} page faults had to wait for the disk.{pss if has_pss else ''}"
