"""One soak: start or find the server, let customers in for hours, write down each window, and judge at the end."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from bench.client import Client
from bench.errors import ProtocolError, UsageError
from bench.metrics import quantile
from bench.process import READY_S, RunningServer, serve_command
from bench.soak.journal import SCHEMA, Head, Journal, Window
from bench.soak.load import Load, Mix, Tally
from bench.soak.watch import Held, held_by, middle
from bench.wire import Limits, parse_address
from bench.workload import load_traffic
from models.errors import BundleError
from models.manifest import read_manifest

#: A line of the journal stands for a minute, or for less in a soak of less than an hour.
WINDOW_S = 60.0
_WINDOWS = 40

#: Memory for prefixes without cells, of a server that the soak starts.
CACHE_MIB = 8

#: Looks at the process in a window.
_LOOKS = 10

#: Called with the share of the time that is over and the requests so far.
Observe = Callable[[float, int], None]


@dataclass(frozen=True, slots=True)
class SoakOptions:
    """What to do.

    Attributes:
        seconds: how long.
        out: the journal, a file that does not exist yet.
        mix: what customers do.
        bundle: the bundle to serve; None with a ``url``.
        url: of a running server; empty serves the bundle.
        pid: its process, if it runs on this machine; else nothing is said of leaks.
        limits: how long to wait for an answer.
        api_key: for the server.
    """

    seconds: float
    out: Path
    mix: Mix = field(default_factory=Mix)
    bundle: Path | None = None
    url: str = ""
    pid: int | None = None
    limits: Limits = field(default_factory=Limits)
    api_key: str = field(default="", repr=False)

    @property
    def window_s(self) -> float:
        """What a line of the journal stands for."""
        return min(WINDOW_S, self.seconds / _WINDOWS)


def soak(options: SoakOptions, observe: Observe) -> tuple[tuple[Window, ...], str]:
    """Do it. Interrupted (Ctrl-C) or with the server gone, it ends early with what was seen.

    Returns:
        The windows, which also stand in the journal, and why it ended early (empty if it did not).

    Raises:
        UsageError: neither a bundle nor a URL, or the journal cannot be made.
        ServerStartError: the bundle's server did not come up.
        TargetError: nobody answers there.
    """
    with ExitStack() as stack:
        if options.url:
            client, pid = Client(parse_address(options.url), options.limits, options.api_key), options.pid
        elif options.bundle is not None:
            server = stack.enter_context(_serve(options.bundle))
            client, pid = Client(server.address, options.limits, options.api_key), server.pid
        else:
            raise UsageError("neither a URL nor a bundle is given; expected one of --url and --bundle")
        if pid is not None and held_by(pid) is None:
            raise UsageError(f"--pid {pid}: there is no such process; expected the server's on this machine")
        client = replace(client, model=_model(client))
        journal = stack.enter_context(Journal(options.out, _head(options, client, pid)))
        load = Load(client, load_traffic(), options.mix)
        load.start()
        try:
            return _watch(options, load, pid, journal, observe)
        finally:
            load.stop(options.limits.connect_s)


def _serve(bundle: Path) -> AbstractContextManager[RunningServer]:
    """The bundle's server with caches so small that they are full within the warm-up.

    What a server keeps by design (cells, prefixes in memory) grows like a leak until it is full, which takes hours with
    the caches of a large machine. Small ones also evict, spill and restore all the time, where leaks like to be.

    Raises:
        UsageError: the bundle has no readable manifest.
        ServerStartError: see ``bench.process``.
    """
    try:
        cells = 2 * read_manifest(bundle).context_tokens
    except BundleError as error:
        raise UsageError(str(error)) from error
    command = [sys.executable, "-m", "runtime", "serve", "--bundle", str(bundle.resolve())]
    command += ["--host", "127.0.0.1", "--port", "0", "--cells", str(cells)]
    return serve_command([*command, "--cache-ram-mib", str(CACHE_MIB), "--cache-disk-mib", "0"], READY_S)


def _watch(
    options: SoakOptions, load: Load, pid: int | None, journal: Journal, observe: Observe
) -> tuple[tuple[Window, ...], str]:
    began_s = time.perf_counter()
    windows: list[Window] = []
    requests = 0
    try:
        while (now_s := time.perf_counter() - began_s) < options.seconds:
            samples, gone = _look(options, pid, began_s + min(options.seconds, now_s + options.window_s))
            window = _window(time.perf_counter() - began_s, load.take(), samples)
            journal.add(window)
            windows.append(window)
            requests += sum(window.deeds.values())
            observe(min(1.0, window.at_s / options.seconds), requests)
            if gone:
                return tuple(windows), "the server's process ended"
    except KeyboardInterrupt:
        return tuple(windows), "it was interrupted"
    return tuple(windows), ""


def _look(options: SoakOptions, pid: int | None, until_s: float) -> tuple[list[Held], bool]:
    """Samples of the process up to a moment, and whether it has gone."""
    samples: list[Held] = []
    while (left_s := until_s - time.perf_counter()) > 0.0:
        if pid is not None:
            held = held_by(pid)
            if held is None:
                return samples, True
            samples.append(held)
        time.sleep(min(left_s, options.window_s / _LOOKS))
    return samples, False


def _window(at_s: float, tally: Tally, samples: list[Held]) -> Window:
    ttft = tally.ttft_ms
    return Window(
        at_s=round(at_s, 3),
        deeds={deed.value: count for deed, count in tally.deeds.items()},
        ttft_p50_ms=round(quantile(ttft, 0.5), 3) if ttft else None,
        ttft_p90_ms=round(quantile(ttft, 0.9), 3) if ttft else None,
        held=middle(samples) if samples else None,
        error=tally.error,
    )


def _head(options: SoakOptions, client: Client, pid: int | None) -> Head:
    return Head(
        soak=SCHEMA,
        created_utc=datetime.now(UTC).isoformat(timespec="seconds"),
        target=str(client.address),
        model=client.model,
        seconds=options.seconds,
        window_s=round(options.window_s, 3),
        customers=options.mix.customers,
        think_s=options.mix.think_s,
        seed=options.mix.seed,
        watched=pid is not None,
    )


def _model(client: Client) -> str:
    data = client.get_json("/v1/models").get("data")
    if not isinstance(data, list) or not data or not isinstance(data[0], dict) or "id" not in data[0]:
        raise ProtocolError(
            f"{client.address}/v1/models lists no model ({data!r:.100}); expected an OpenAI-compatible server"
        )
    return str(data[0]["id"])
