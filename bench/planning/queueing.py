"""The queueing model: customers come at random to a box that serves all who are inside, at a rate that was measured.

A box with continuous batching has no fixed number of servers, so Erlang's formula (M/M/k, and M/G/k with Allen's and
Cunneen's correction) has no ``k`` to be asked with: everybody who is inside gets a share, and the more there are, the
faster all together. That is processor sharing with a rate that depends on the number inside. With Poisson arrivals
(rate ``l``) the number inside has the distribution ``p(n) = p(0) * prod_{i=1..n} l / m(i)``, whatever the distribution
of the work, of which only the mean counts (Cohen 1979, "The Multiple Phase Service Network with Generalized Processor
Sharing"; Kelly 1979, "Reversibility and Stochastic Networks"). ``m(i) = i / R(i)`` is the throughput of the closed loop
with ``i`` chats: the flow-equivalent server of Chandy, Herzog and Woo 1975, "Parametric Analysis of Queuing Networks".

Mean whole time is ``E[n] / l`` (Little 1961). A new customer sees ``p(n)`` (Poisson arrivals see time averages, Wolff
1982) and waits for the first token as in a closed loop of ``n + 1``; the spread around that mean is the measured one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from bench.metrics import Floats
from bench.planning.service import Service

#: States whose probability is below this share of the likeliest are left out.
_NEGLIGIBLE = 1e-9
_MOST_STATES = 20_000


@dataclass(frozen=True, slots=True)
class Waiting:
    """What customers of one box meet.

    Attributes:
        arrivals_per_s: questions that come.
        load: of what the box can do at most, 0 to 1; from 1 on the queue grows for ever and the times are infinite.
        inside: mean number of questions inside.
        answer_s: mean whole time.
        ttft_s: mean time to first token.
        ttft_p90_s: its 90th percentile.
        within: share of questions whose first token comes within the promise.
        beyond: share of the time with more inside than any loop had that was measured.
    """

    arrivals_per_s: float
    load: float
    inside: float
    answer_s: float
    ttft_s: float
    ttft_p90_s: float
    within: float
    beyond: float


def waiting(service: Service, arrivals_per_s: float, promise_s: float) -> Waiting:
    """What customers meet when so many questions come to one box, at random.

    Raises:
        ValueError: no arrivals.
    """
    if not arrivals_per_s > 0.0:
        raise ValueError(f"{arrivals_per_s} arrivals a second; expected more than 0")
    load = arrivals_per_s / service.most_per_s
    states = inside_distribution(service, arrivals_per_s)
    if states is None:
        return Waiting(arrivals_per_s, load, *(math.inf,) * 4, 0.0, 1.0)
    numbers = np.arange(len(states))
    inside = float(states @ numbers)
    means = service.ttft.at(numbers + 1)  # (N,) seconds, the newcomer among them
    times = (means[:, None] * np.asarray(service.shape)[None, :]).ravel()  # (N * q,)
    weights = np.repeat(states / len(service.shape), len(service.shape))
    order = np.argsort(times)
    upto = np.cumsum(weights[order])
    return Waiting(
        arrivals_per_s=arrivals_per_s,
        load=load,
        inside=inside,
        answer_s=inside / arrivals_per_s,
        ttft_s=float(states @ means),
        ttft_p90_s=float(times[order][min(len(times) - 1, int(np.searchsorted(upto, 0.9)))]),
        within=float(weights[times <= promise_s].sum()),
        beyond=float(states[service.most_chats + 1 :].sum()),
    )


def inside_distribution(service: Service, arrivals_per_s: float) -> Floats | None:
    """Probabilities of 0, 1, 2, ... questions inside, (N,) float64; None if the queue would grow for ever."""
    if arrivals_per_s >= service.most_per_s:
        return None
    numbers = np.arange(1, _MOST_STATES)
    times = service.answer.at(numbers)
    logs = np.concatenate([[0.0], np.cumsum(np.log(arrivals_per_s * times / numbers))])
    weights = np.exp(logs - logs.max())
    if weights[-1] > _NEGLIGIBLE:  # so close to the limit that it is the same as beyond it
        return None
    kept = weights[: int(np.flatnonzero(weights > _NEGLIGIBLE)[-1]) + 1]
    return np.asarray(kept / kept.sum(), dtype=np.float64)
