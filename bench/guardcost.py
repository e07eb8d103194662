"""What the guards cost: the stages as the server times them, and the classifier measured on its own."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.client import Client
from bench.errors import ProtocolError, RefusedError, TargetError
from bench.workload import Traffic

#: The stages of ``timing_ms`` in ``/api/query``; ``total`` holds them all.
STAGES = ("guard_in", "engine", "guard_out", "total")

_STAGE = "queries"
_ALONE_REPEATS = 20
_ALONE_WORDS = (8, 32, 128)


@dataclass(frozen=True, slots=True)
class QueryTiming:
    """One answer of ``/api/query``: milliseconds by stage, the guard's action, and whether the model computed it.

    ``computed`` is false for an answer out of the cache, out of a flow with fixed words, or a refusal.
    """

    stages_ms: Mapping[str, float]
    action: str
    computed: bool


@dataclass(frozen=True, slots=True)
class AloneTiming:
    """The guard called directly, without a server: milliseconds of each call on a text of so many words."""

    words: int
    times_ms: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class GuardCost:
    """All that was measured.

    Attributes:
        queries: one entry for each question that was answered.
        alone: the guard of a local bundle on texts of several lengths; empty for a remote target.
        missing: why something was not measured; empty if all was.
    """

    queries: tuple[QueryTiming, ...]
    alone: tuple[AloneTiming, ...]
    missing: str = ""


def query_timings(
    client: Client, traffic: Traffic, seed: int, count: int, observe: Callable[[float], None]
) -> tuple[tuple[QueryTiming, ...], str]:
    """Ask questions one after another; their timings, and why there are fewer than ``count`` (empty if not)."""
    timings: list[QueryTiming] = []
    for index in range(count):
        question = traffic.conversation(seed, _STAGE, index).turns[0]
        try:
            timings.append(_timing(client.post_json("/api/query", {"question": question})))
        except RefusedError as error:
            if error.status in (404, 405):
                return tuple(timings), "the target has no /api/query, so it is not this project's server"
            return tuple(timings), str(error)
        except TargetError as error:
            return tuple(timings), str(error)
        observe((index + 1) / count)
    return tuple(timings), ""


def _timing(reply: Mapping[str, object]) -> QueryTiming:
    stages, guard = reply.get("timing_ms"), reply.get("guard")
    if not isinstance(stages, Mapping) or not all(isinstance(value, int | float) for value in stages.values()):
        raise ProtocolError(f"/api/query answered with timing_ms {stages!r}; expected milliseconds by stage")
    action = guard.get("action") if isinstance(guard, Mapping) else None
    sources = reply.get("sources")
    fixed = isinstance(sources, list) and any(str(source).startswith("flow:") for source in sources)
    return QueryTiming(
        stages_ms={str(name): float(value) for name, value in stages.items()},
        action=str(action),
        computed=reply.get("cached") is not True and not fixed and action != "block",
    )


def guard_timings(bundle: Path, traffic: Traffic, seed: int) -> tuple[tuple[AloneTiming, ...], str]:
    """Call the input guard of a bundle on texts of several lengths; the timings, or why there are none.

    Each length is timed 20 times, after one call that is not counted.
    """
    from guards.errors import GuardFault  # here: it loads onnxruntime, which `compare` and `report` do not need
    from guards.guard import Guard
    from guards.policy import load_policy
    from models.bundle import open_bundle
    from models.errors import BundleError

    try:
        guard = Guard.load(open_bundle(bundle), load_policy())
    except (BundleError, GuardFault) as error:
        return (), str(error)
    words = [word for index in range(40) for word in traffic.conversation(seed, _STAGE, index).turns[0].split()]
    timings = []
    for count in _ALONE_WORDS:
        texts = [" ".join(words[start : start + count]) for start in range(_ALONE_REPEATS + 1)]
        times_ms = [_call_ms(guard.check_input, text) for text in texts]
        timings.append(AloneTiming(count, tuple(times_ms[1:])))
    return tuple(timings), ""


def _call_ms(call: Callable[[str], object], text: str) -> float:
    began_s = time.perf_counter()
    call(text)
    return round((time.perf_counter() - began_s) * 1000.0, 3)
