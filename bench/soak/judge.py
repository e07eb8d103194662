"""The verdict on a soak: does anything leak, does the server get slower, does it fail?

A resource leaks if, after the warm-up, all of this holds: the lower end of its slope's interval is above the bound; the
growth that was seen is more than what a few requests hold; and the later half alone grows faster than the bound and by
half of that growth at least, because a cache that fills stops growing and a leak does not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench.soak.journal import Window
from bench.soak.limits import Limits
from bench.soak.load import Deed
from bench.soak.trend import LEAST_POINTS, Trend, trend
from bench.soak.watch import Held

#: Share of the time in which caches fill and libraries load.
WARM_UP = 0.25

#: Share of requests that may fail.
MOST_FAILED = 0.01

#: A drift counts only if chance would hardly bring it.
MOST_CHANCE = 0.01

MB = 1e6


@dataclass(frozen=True, slots=True)
class Resource:
    """Something that can leak.

    Attributes:
        name: of it, with its unit.
        read: its value in what a server held; None if it is not known.
        bound_per_h: growth that is tolerated; None takes that of ``Limits``.
        least_growth: less than this is no leak, however steep: what comes and goes with requests.
    """

    name: str
    read: Callable[[Held], float | None]
    bound_per_h: float | None
    least_growth: float


def _memory_mb(held: Held) -> float:
    return (held.rss_bytes if held.anonymous_bytes is None else held.anonymous_bytes) / MB


#: Memory is what belongs to no file where the kernel tells it, else all that is resident.
RESOURCES = (
    Resource("memory, MB", _memory_mb, None, 8.0),
    Resource("file descriptors", lambda held: held.descriptors, 4.0, 8.0),
    Resource("threads", lambda held: held.threads, 4.0, 8.0),
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One resource, or the waiting.

    Attributes:
        name: of what was watched, with its unit.
        trend: after the warm-up.
        bound_per_h: what is tolerated.
        is_bad: whether it is more than that.
    """

    name: str
    trend: Trend
    bound_per_h: float
    is_bad: bool


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the journal says.

    Attributes:
        findings: resources that were seen, and the time to first token last.
        requests: by what became of them.
        is_good: nothing leaks, drifts or fails too often, and enough was seen to say so.
        sentence: for people.
        caveats: what a reader has to know beside it.
    """

    findings: tuple[Finding, ...]
    requests: dict[str, int]
    is_good: bool
    sentence: str
    caveats: tuple[str, ...]


def judge(windows: Sequence[Window], limits: Limits, ended: str = "") -> Verdict:
    """The verdict on all windows.

    Args:
        windows: of the journal, in order.
        limits: what is tolerated.
        ended: why the soak ended early; empty if it did not.
    """
    first_s = WARM_UP * windows[-1].at_s if windows else 0.0
    judged = [window for window in windows if window.at_s > first_s]
    findings = [found for one in RESOURCES if (found := _resource(one, judged, limits)) is not None]
    if (drift := _drift(judged, limits)) is not None:
        findings.append(drift)
    requests = {deed.value: sum(window.deeds.get(deed.value, 0) for window in windows) for deed in Deed}
    bad = [f"{one.name} {one.trend.slope:+.3g} an hour" for one in findings if one.is_bad]
    failed, total = requests[Deed.FAILED.value], sum(requests.values())
    if failed > MOST_FAILED * max(1, total):
        bad.append(f"{failed} of {total} requests failed")
    if len(judged) < LEAST_POINTS:
        bad.append(f"{len(judged)} windows after the warm-up are too few to tell; expected {LEAST_POINTS} or more")
    if ended:
        bad.append(ended)
    minutes = windows[-1].at_s / 60.0 if windows else 0.0
    over = f"{minutes / 60.0:.1f} hours" if minutes >= 90.0 else f"{minutes:.1f} minutes"
    good = f"Nothing leaks or drifts over {over} and {total} requests"
    return Verdict(
        findings=tuple(findings),
        requests=requests,
        is_good=not bad,
        sentence=f"Falls short over {over}: {'; '.join(bad)}." if bad else f"{good}.",
        caveats=_caveats(windows, judged),
    )


def _resource(one: Resource, judged: Sequence[Window], limits: Limits) -> Finding | None:
    points = [
        (window.at_s, value)
        for window in judged
        if window.held is not None and (value := one.read(window.held)) is not None
    ]
    found = trend([at for at, _ in points], [value for _, value in points])
    if found is None:
        return None
    bound = limits.memory_mb_per_h if one.bound_per_h is None else one.bound_per_h
    later = points[len(points) // 2 :]
    late = trend([at for at, _ in later], [value for _, value in later])
    goes_on = late is None or (late.slope > bound and late.growth > one.least_growth / 2.0)
    return Finding(one.name, found, bound, found.low > bound and found.growth > one.least_growth and goes_on)


def _drift(judged: Sequence[Window], limits: Limits) -> Finding | None:
    points = [(window.at_s, window.ttft_p50_ms) for window in judged if window.ttft_p50_ms is not None]
    found = trend([at for at, _ in points], [value for _, value in points])
    if found is None or found.hours <= 0.0:
        return None
    bound = limits.drift * found.level / found.hours
    return Finding("TTFT p50, ms", found, bound, found.low > bound and found.p_value < MOST_CHANCE)


def _caveats(windows: Sequence[Window], judged: Sequence[Window]) -> tuple[str, ...]:
    found = []
    if windows and not any(window.held for window in judged):
        found.append("The server's process was not seen, so nothing is said of leaks; name it with --pid.")
    elif any(window.held and window.held.anonymous_bytes is None for window in judged):
        found.append("Memory is RSS, shared libraries included: the kernel does not tell what belongs to no file.")
    errors = [window.error for window in windows if window.error]
    if errors:
        found.append(f"The last failure: {errors[-1]}")
    if windows and windows[-1].at_s < 3600.0:
        found.append("Less than an hour: a slow leak is not seen in so short a time.")
    return tuple(found)
