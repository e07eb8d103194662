"""What Prometheus sees: requests, times, tokens, the queue, the guards. One registry a service."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from runtime.assistant.turn import TurnResult
from runtime.engine.face import EngineLoad

_SECONDS = (0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0, 120.0)
_METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT")


class Metrics:
    """All counters of one service."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "tellerbox_http_requests", "Requests answered.", ["route", "method", "status"], registry=self.registry
        )
        self._request_seconds = Histogram(
            "tellerbox_http_request_seconds",
            "From a request's arrival to the last byte of its answer.",
            ["route"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._ttft_seconds = Histogram(
            "tellerbox_ttft_seconds",
            "From a question's arrival to the first piece of its answer.",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._answers = Counter("tellerbox_answers", "Answers, by how they ended.", ["end"], registry=self.registry)
        self._adapters = Counter(
            "tellerbox_adapter_answers",
            "Answers by adapter (none: the bare model, or no model at all), by end, and whether a person is called.",
            ["adapter", "end", "handoff"],
            registry=self.registry,
        )
        self._tokens = Counter(
            "tellerbox_tokens",
            "Tokens of answered questions: prompt computed, prompt cached, completion.",
            ["kind"],
            registry=self.registry,
        )
        self._guard = Counter(
            "tellerbox_guard_actions",
            "Questions and answers on which a guard acted.",
            ["action", "rule"],
            registry=self.registry,
        )
        self._handoffs = Counter("tellerbox_handoffs", "Answers that call a person.", registry=self.registry)
        self._cached = Counter("tellerbox_cached_answers", "Answers out of the answer cache.", registry=self.registry)

    def request(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count one HTTP request; ``route`` is the rule, never the raw path."""
        self._requests.labels(route, method if method in _METHODS else "OTHER", str(status)).inc()
        self._request_seconds.labels(route).observe(seconds)

    def first_piece(self, seconds: float) -> None:
        """Observe a time to first token."""
        self._ttft_seconds.observe(seconds)

    def answer(self, result: TurnResult) -> None:
        """Count a finished answer."""
        self._answers.labels(result.end.value).inc()
        self._adapters.labels(result.adapter or "none", result.end.value, str(result.handoff).lower()).inc()
        usage = result.usage
        self._tokens.labels("prompt").inc(max(0, usage.prompt_tokens - usage.cached_tokens))
        self._tokens.labels("cached").inc(usage.cached_tokens)
        self._tokens.labels("completion").inc(usage.completion_tokens)
        if result.verdict.rule:
            self._guard.labels(result.verdict.action.value, result.verdict.rule).inc()
        if result.handoff:
            self._handoffs.inc()
        if result.cached:
            self._cached.inc()

    def cut_short(self, why: str) -> None:
        """Count an answer that ended before its time (``client_gone``, ``timeout``, ``shutting_down``, ``failed``)."""
        self._answers.labels(why).inc()

    def watch_engine(self, load: Callable[[], EngineLoad | None]) -> None:
        """Ask the engine for its load whenever somebody looks at the metrics."""
        self.registry.register(_EngineCollector(load))

    def text(self) -> bytes:
        """The exposition format."""
        return generate_latest(self.registry)


class _EngineCollector(Collector):
    """The engine's own figures, read at the moment of asking."""

    def __init__(self, load: Callable[[], EngineLoad | None]) -> None:
        self._load = load

    def collect(self) -> Iterator[Metric]:
        load = self._load()
        if load is None:
            return
        yield GaugeMetricFamily("tellerbox_engine_running", "Answers being computed.", value=load.running)
        yield GaugeMetricFamily("tellerbox_queue_depth", "Questions waiting for the engine.", value=load.waiting)
        tokens = CounterMetricFamily(
            "tellerbox_engine_tokens",
            "Tokens since the start: computed (prefill, decode), found in cells (cached), of those out of blobs "
            "(restored), guessed (drafted), of those right (accepted).",
            labels=["phase"],
        )
        for phase in ("prefill", "decode", "cached", "restored", "drafted", "accepted"):
            tokens.add_metric([phase], getattr(load, f"{phase}_tokens"))
        yield tokens
        yield GaugeMetricFamily("tellerbox_kv_cells", "KV cells, one a token.", value=load.cells)
        yield GaugeMetricFamily("tellerbox_kv_cells_used", "KV cells that are not free.", value=load.cells_used)
        blobs = GaugeMetricFamily("tellerbox_blob_bytes", "Prefixes spilled from the KV cells.", labels=["place"])
        blobs.add_metric(["ram"], load.blob_ram_bytes)
        blobs.add_metric(["disk"], load.blob_disk_bytes)
        yield blobs
        faults = "Blobs that could not be written or read; each was computed anew."
        yield CounterMetricFamily("tellerbox_blob_faults", faults, value=load.blob_faults)
        given_up = "Beginnings of prompts that could not be computed in advance."
        yield CounterMetricFamily("tellerbox_prepare_faults", given_up, value=load.prepare_faults)
        seconds = CounterMetricFamily("tellerbox_engine_seconds", "Seconds of the engine's thread.", labels=["where"])
        seconds.add_metric(["library"], load.library_s)
        seconds.add_metric(["python"], max(0.0, load.busy_s - load.library_s))
        yield seconds
