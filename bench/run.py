"""One run: find or start the target, look at the machine, run the loops, and put it all into a result."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from bench.arrivals import Arrival, burst, poisson, run_arrivals
from bench.chat import ChatMessage, ChatRequest
from bench.client import Client
from bench.errors import ProtocolError, TargetError, UsageError
from bench.guardcost import GuardCost, guard_timings, query_timings
from bench.loop import Observe, run_loop
from bench.machine import describe_machine
from bench.noise import Noise, probe
from bench.plans import LoopPlan, Plan, open_plan
from bench.process import RunningServer, serve_bundle, usage_of
from bench.records import LoopResult
from bench.replay import replay_plan
from bench.result import SCHEMA, Restart, Result, TargetInfo, TrafficInfo
from bench.roofline import Roofline, count_parameters, matrix_rate, read_bandwidth
from bench.sampling import Sampler
from bench.saturation import capacity_per_s, is_saturated
from bench.summary import decode_per_s, prefill_per_s
from bench.wire import Limits, parse_address
from bench.workload import Traffic, WorkloadOptions, load_traffic
from models.bundle import MODEL
from models.errors import BundleError
from models.manifest import Manifest, read_manifest

_WARM_UP = "warm-up"

#: Called at the beginning of each stage with its name; gives what to call with its progress.
Stage = Callable[[str], Observe]


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What to measure and how.

    Attributes:
        plan: loops and counts.
        workload: what is asked.
        limits: how long to wait for the target.
        slo_ttft_s: the wait that a customer is promised.
        url: of a running server; empty starts the bundle.
        bundle: folder of the bundle that is started; with a ``url``, the one that runs there, if it is at hand.
        pid: of a local server that bench did not start, to read its memory; None if not known.
        api_key: for the target.
        replay: the arrivals of a trace, asked instead of the plan's loops; empty for none.
    """

    plan: Plan
    workload: WorkloadOptions
    limits: Limits
    slo_ttft_s: float
    url: str
    bundle: Path | None
    pid: int | None = None
    api_key: str = ""
    replay: tuple[Arrival, ...] = ()


def run(options: RunOptions, stage: Stage) -> Result:
    """Measure. A target that fails midway ends the run with what was measured until then.

    Raises:
        UsageError: the URL is malformed, the bundle has no readable manifest, or neither is given.
        ServerStartError: the bundle's server did not come up.
        TargetError: the target did not answer even the first request.
    """
    manifest = _manifest(options.bundle)
    with ExitStack() as stack:
        server: RunningServer | None = None
        if not options.url:
            if options.bundle is None:
                raise UsageError("neither a URL nor a bundle is given; expected one of --url and --bundle")
            stage("start the server")
            server = stack.enter_context(serve_bundle(options.bundle))
        address = server.address if server else parse_address(options.url)
        client = Client(address, options.limits, options.api_key)
        client = replace(client, model=_model_id(client))
        result = _Run(options, client, server, manifest, stage).measure()
    if server is None or result.aborted:
        return result
    assert options.bundle is not None
    stage("start it again")
    return replace(result, restart=_restart(options.bundle, options))


def _restart(bundle: Path, options: RunOptions) -> Restart:
    """A second start on the same files, which the system now holds in memory: what an update or a crash costs."""
    with serve_bundle(bundle) as server:
        client = Client(server.address, options.limits, options.api_key)
        ttft_ms = _first_request(replace(client, model=_model_id(client)), load_traffic(), options.workload)
    return Restart(round(server.ready_s, 3), ttft_ms)


class _Run:
    """The stages of a run on a target that is there."""

    def __init__(
        self, options: RunOptions, client: Client, server: RunningServer | None, manifest: Manifest | None, stage: Stage
    ) -> None:
        self._options, self._client, self._server, self._stage = options, client, server, stage
        self._manifest = manifest
        self._pid = server.pid if server else options.pid
        self._traffic: Traffic = load_traffic()
        self._began_s = time.perf_counter()

    def measure(self) -> Result:
        """All stages, in order."""
        options, created = self._options, datetime.now(UTC)
        self._stage("look at the machine")
        machine, before = describe_machine(), probe()
        rates = (read_bandwidth(), matrix_rate()) if self._client.address.is_local else None
        self._stage("first request")
        sampler = Sampler(self._pid, self._began_s) if self._pid else None
        with sampler or nullcontext():
            first_ttft_ms = _first_request(self._client, self._traffic, options.workload)
            target = self._target()
            loops = self._loops()
        aborted = next((f"{loop.plan.name}: {loop.aborted}" for loop in loops if loop.aborted), "")
        guard = GuardCost((), (), aborted) if aborted else self._guard_cost()
        self._stage("look at the machine again")
        measured = tuple(loop for loop in loops if not loop.plan.attacks)
        return Result(
            schema_version=SCHEMA,
            created_utc=created.isoformat(timespec="seconds"),
            bench_version=_bench_version(),
            slo_ttft_s=options.slo_ttft_s,
            target=target,
            machine=machine,
            noise=Noise(before, probe()),
            traffic=TrafficInfo(
                "replay" if options.replay else options.plan.name, options.workload, self._traffic.sha256
            ),
            first_ttft_ms=first_ttft_ms,
            loops=measured,
            attacks=next((loop for loop in loops if loop.plan.attacks), None),
            guard=guard,
            usage=usage_of(self._pid) if self._pid else None,
            aborted=aborted,
            samples=sampler.samples if sampler else (),
            roofline=self._roofline(rates, measured) if rates else None,
        )

    def _loops(self) -> list[LoopResult]:
        """All loops, or those up to the one in which the target was gone."""
        options, plan = self._options, self._options.plan
        if options.replay:
            return [self._loop(replay_plan(options.replay))]
        loops: list[LoopResult] = []
        for one in (*plan.loops, *plan.bursts):
            loops.append(self._loop(one))
            if loops[-1].aborted:
                return loops
        loops += self._sweep(loops)
        return loops if loops[-1].aborted else [*loops, self._loop(plan.attacks)]

    def _sweep(self, closed: list[LoopResult]) -> list[LoopResult]:
        """Open loops by rising rate, up to the one that the target cannot keep up with."""
        sweep, capacity = self._options.plan.sweep, capacity_per_s(closed)
        loops: list[LoopResult] = []
        if sweep is None or not capacity:
            return loops
        for share in sweep.shares:
            loops.append(self._loop(open_plan(share, capacity, sweep.seconds)))
            if loops[-1].aborted or is_saturated(loops, self._options.slo_ttft_s):
                break
        return loops

    def _loop(self, plan: LoopPlan) -> LoopResult:
        observe = self._stage(_stage_name(plan))
        before, began_s = usage_of(self._pid) if self._pid else None, time.perf_counter()
        result = self._run_loop(plan, observe)
        after = usage_of(self._pid) if self._pid else None
        cpu_s = round(after.cpu_s - before.cpu_s, 3) if before and after else None
        return replace(result, cpu_s=cpu_s, began_ms=round((began_s - self._began_s) * 1000.0, 1))

    def _run_loop(self, plan: LoopPlan, observe: Observe) -> LoopResult:
        workload = self._options.workload
        if plan.kind == "closed":
            return run_loop(self._client, plan, self._traffic, workload, observe)
        if plan.kind == "replay":
            arrivals = self._options.replay
        else:
            arrivals = (burst if plan.kind == "burst" else poisson)(plan, self._traffic, workload.seed)
        return run_arrivals(self._client, plan, arrivals, workload, observe)

    def _roofline(self, rates: tuple[float, float], loops: tuple[LoopResult, ...]) -> Roofline | None:
        manifest, bundle = self._manifest, self._options.bundle
        if manifest is None or bundle is None or MODEL not in manifest.files:
            return None
        alone = next((loop for loop in loops if loop.plan.kind == "closed" and loop.plan.chats == 1), None)
        return Roofline(
            *rates,
            model_bytes=manifest.files[MODEL].bytes,
            parameters=count_parameters(bundle / MODEL),
            prefill_per_s=prefill_per_s(alone) if alone else None,
            decode_per_s=decode_per_s(alone) if alone else None,
        )

    def _guard_cost(self) -> GuardCost:
        observe = self._stage("stages of /api/query")
        count, seed = self._options.plan.queries, self._options.workload.seed
        timings, missing = query_timings(self._client, self._traffic, seed, count, lambda share: observe(share, 0))
        if self._options.bundle is None:
            return GuardCost(timings, (), missing)
        self._stage("the guard alone")
        alone, missing_alone = guard_timings(self._options.bundle, self._traffic, seed)
        return GuardCost(timings, alone, f"{missing} {missing_alone}".strip())

    def _target(self) -> TargetInfo:
        manifest = self._manifest
        return TargetInfo(
            url=str(self._client.address),
            model=self._client.model,
            is_local=self._client.address.is_local,
            started=self._server is not None,
            ready_s=round(self._server.ready_s, 3) if self._server else None,
            health=_health(self._client),
            bundle_files={name: entry.sha256 for name, entry in manifest.files.items()} if manifest else {},
            bundle_bytes=manifest.files[MODEL].bytes if manifest and MODEL in manifest.files else 0,
            demonstration=manifest.demonstration if manifest else False,
        )


def _first_request(client: Client, traffic: Traffic, workload: WorkloadOptions) -> float:
    """Time to first token with nothing prepared; this also shows early that the target can be measured at all."""
    question = traffic.conversation(workload.seed, _WARM_UP, 0).turns[0]
    system = (ChatMessage("system", workload.system_prompt),) if workload.system_prompt else ()
    answer = client.chat(ChatRequest((*system, ChatMessage("user", question)), workload.max_tokens))
    ttft_ms = answer.timeline.ttft_ms
    if ttft_ms is None:
        raise ProtocolError(f"{client.address}: the first answer is empty ({answer.finish_reason!r}); expected text")
    return round(ttft_ms, 3)


def _stage_name(plan: LoopPlan) -> str:
    if plan.attacks or plan.kind == "replay":
        return "attacks" if plan.attacks else "replay"
    if plan.kind == "open":
        return f"{plan.rate_per_s:.3g} arrivals a second"
    return f"{plan.chats} chat{'s'[: plan.chats > 1]} at once" + (", a burst" if plan.kind == "burst" else "")


def _model_id(client: Client) -> str:
    """The first model that the target lists.

    Raises:
        TargetError: nobody listens, or the list is not one.
    """
    data = client.get_json("/v1/models").get("data")
    if not isinstance(data, list) or not data or not isinstance(data[0], Mapping) or "id" not in data[0]:
        raise ProtocolError(
            f"{client.address}/v1/models lists no model ({data!r:.100}); expected an OpenAI-compatible server"
        )
    return str(data[0]["id"])


def _health(client: Client) -> Mapping[str, object]:
    try:
        return client.get_json("/health")
    except TargetError:
        return {}


def _manifest(bundle: Path | None) -> Manifest | None:
    try:
        return read_manifest(bundle) if bundle else None
    except BundleError as error:
        raise UsageError(str(error)) from error


def _bench_version() -> str:
    try:
        return metadata.version("tellerbox")
    except metadata.PackageNotFoundError:
        return "0 (not installed)"
