"""One run: find or start the target, look at the machine, run the loops, and put it all into a result."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from bench.chat import ChatMessage, ChatRequest
from bench.client import Client
from bench.errors import ProtocolError, TargetError, UsageError
from bench.guardcost import GuardCost, guard_timings, query_timings
from bench.loop import Observe, run_loop
from bench.machine import describe_machine
from bench.noise import Noise, probe
from bench.process import RunningServer, serve_bundle, usage_of
from bench.records import LoopResult
from bench.result import SCHEMA, Result, TargetInfo, TrafficInfo
from bench.wire import Limits, parse_address
from bench.workload import LoopPlan, Plan, Traffic, WorkloadOptions, load_traffic
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
    """

    plan: Plan
    workload: WorkloadOptions
    limits: Limits
    slo_ttft_s: float
    url: str
    bundle: Path | None
    pid: int | None = None
    api_key: str = ""


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
        return _Run(options, client, server, manifest, stage).measure()


class _Run:
    """The stages of a run on a target that is there."""

    def __init__(
        self, options: RunOptions, client: Client, server: RunningServer | None, manifest: Manifest | None, stage: Stage
    ) -> None:
        self._options, self._client, self._server, self._stage = options, client, server, stage
        self._manifest = manifest
        self._pid = server.pid if server else options.pid
        self._traffic: Traffic = load_traffic()

    def measure(self) -> Result:
        """All stages, in order."""
        options, created = self._options, datetime.now(UTC)
        self._stage("look at the machine")
        machine, before = describe_machine(), probe()
        self._stage("first request")
        first_ttft_ms = self._first_request()
        target = self._target()
        loops = self._loops()
        aborted = next((f"{loop.plan.name}: {loop.aborted}" for loop in loops if loop.aborted), "")
        guard = GuardCost((), (), aborted) if aborted else self._guard_cost()
        self._stage("look at the machine again")
        return Result(
            schema_version=SCHEMA,
            created_utc=created.isoformat(timespec="seconds"),
            bench_version=_bench_version(),
            slo_ttft_s=options.slo_ttft_s,
            target=target,
            machine=machine,
            noise=Noise(before, probe()),
            traffic=TrafficInfo(options.plan.name, options.workload, self._traffic.sha256),
            first_ttft_ms=first_ttft_ms,
            loops=tuple(loop for loop in loops if not loop.plan.attacks),
            attacks=next((loop for loop in loops if loop.plan.attacks), None),
            guard=guard,
            usage=usage_of(self._pid) if self._pid else None,
            aborted=aborted,
        )

    def _first_request(self) -> float:
        """Time to first token with nothing prepared; this also shows early that the target can be measured at all."""
        workload = self._options.workload
        question = self._traffic.conversation(workload.seed, _WARM_UP, 0).turns[0]
        system = (ChatMessage("system", workload.system_prompt),) if workload.system_prompt else ()
        answer = self._client.chat(ChatRequest((*system, ChatMessage("user", question)), workload.max_tokens))
        ttft_ms = answer.timeline.ttft_ms
        if ttft_ms is None:
            raise ProtocolError(
                f"{self._client.address}: the first answer is empty ({answer.finish_reason!r}); expected text"
            )
        return round(ttft_ms, 3)

    def _loops(self) -> list[LoopResult]:
        """All loops, or those up to the one in which the target was gone."""
        loops: list[LoopResult] = []
        for plan in (*self._options.plan.loops, self._options.plan.attacks):
            loops.append(self._loop(plan))
            if loops[-1].aborted:
                break
        return loops

    def _loop(self, plan: LoopPlan) -> LoopResult:
        observe = self._stage("attacks" if plan.attacks else f"{plan.chats} chat{'s'[: plan.chats > 1]} at once")
        before = usage_of(self._pid) if self._pid else None
        result = run_loop(self._client, plan, self._traffic, self._options.workload, observe)
        after = usage_of(self._pid) if self._pid else None
        return replace(result, cpu_s=round(after.cpu_s - before.cpu_s, 3)) if before and after else result

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
