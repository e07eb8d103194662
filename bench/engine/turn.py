"""One side's turn: all scenarios on one server, in an order in which none prepares what another one measures."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import pairwise

from bench.chat import ChatAnswer, ChatRequest
from bench.client import Client
from bench.engine.figures import Figure, Scenario, Sizes
from bench.engine.texts import Chats, Messages
from bench.errors import ProtocolError, TargetError
from bench.metrics import quantile
from bench.process import usage_of

#: The long prompt is sent so many times later than the eighth piece of the stream is expected.
_LATER = 1.3
_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Turn:
    """What one side's turn gave.

    Attributes:
        number: the round, from 1.
        side: ``ours`` or the peer's name.
        figures: what could be measured.
        ttft_ms: every time to first token, by scenario.
        prompt_tokens: mean length of a prompt by scenario, as the server counts.
        cached_tokens: of these, the mean number that the server says it did not compute.
        faults: why a scenario has no figure.
        took_s: the whole turn.
    """

    number: int
    side: str
    figures: dict[Figure, float]
    ttft_ms: dict[Scenario, tuple[float, ...]]
    prompt_tokens: dict[Scenario, float]
    cached_tokens: dict[Scenario, float]
    faults: dict[Scenario, str]
    took_s: float


#: Told which share of the turn is done.
Progress = Callable[[float], None]


@dataclass(slots=True)
class Visit:
    """The state of a turn under way.

    Attributes:
        client: of the server.
        pid: its process; None if not known.
        chats: what is asked.
        sizes: how much of it.
        scenarios: which are measured.
    """

    client: Client
    pid: int | None
    chats: Chats
    sizes: Sizes
    scenarios: frozenset[Scenario]
    figures: dict[Figure, float] = field(default_factory=dict)
    ttft_ms: dict[Scenario, tuple[float, ...]] = field(default_factory=dict)
    prompt_tokens: dict[Scenario, float] = field(default_factory=dict)
    cached_tokens: dict[Scenario, float] = field(default_factory=dict)
    faults: dict[Scenario, str] = field(default_factory=dict)
    _asked: list[tuple[Messages, str]] = field(default_factory=list)
    _together: list[tuple[Messages, str]] = field(default_factory=list)

    def run(self, progress: Progress) -> None:
        """All scenarios but the restart. What goes wrong in one is noted, and the next one begins."""
        steps: tuple[tuple[Scenario, Callable[[], None]], ...] = (
            (Scenario.DECODE, self._decode),
            (Scenario.AWAY, self._ask_before),
            (Scenario.NEW, self._new),
            (Scenario.TOGETHER, self._at_once),
            (Scenario.RETURNING, self._return_in_turn),
            (Scenario.GAP, self._gap),
            (Scenario.AWAY, self._return_after_long),
            (Scenario.MEMORY, self._memory),
        )
        chosen = [one for one in steps if one[0] in self.scenarios or one[1] == self._ask_before]
        for number, (scenario, step) in enumerate(chosen):
            progress(number / len(chosen))
            try:
                step()
            except TargetError as error:
                self.faults[scenario] = f"{error.kind}: {error}"

    def restarted(self, client: Client) -> None:
        """After a restart: the first question, on a passage that was known before it."""
        self.client = client
        try:
            answer = self._ask(self.chats.new("restart", 0), self.sizes.short_tokens)
        except TargetError as error:
            self.faults[Scenario.RESTART] = f"{error.kind}: {error}"
        else:
            self.figures[Figure.RESTART] = self._keep(Scenario.RESTART, [answer])[0]

    def turn(self, number: int, side: str, took_s: float) -> Turn:
        """What was found."""
        figures = {figure: round(value, 4) for figure, value in self.figures.items()}
        counts = (self.prompt_tokens, self.cached_tokens)
        return Turn(number, side, figures, self.ttft_ms, *counts, self.faults, took_s)

    def _decode(self) -> None:
        """First of all, since cells of other chats would slow the attention down. The first answer only warms up."""
        self._ask(self.chats.short("decode", 0), self.sizes.short_tokens)
        for attempt in range(1, _ATTEMPTS + 1):
            before = self._engine_times()
            tpot_ms = self._ask(self.chats.short("decode", attempt), self.sizes.decode_tokens).timeline.tpot_ms
            after = self._engine_times()
            if tpot_ms:
                self.figures[Figure.DECODE_RATE] = 1000.0 / tpot_ms
                if before and after and after[0] > before[0]:
                    self.figures[Figure.PYTHON_SHARE] = 1.0 - (after[1] - before[1]) / (after[0] - before[0])
                return
        raise ProtocolError(f"{_ATTEMPTS} answers came in one burst each; expected a stream")

    def _engine_times(self) -> tuple[float, float] | None:
        """Seconds that our engine's thread was busy, and those of them inside libllama; None of another server."""
        try:
            load = self.client.get_json("/health").get("load")
        except TargetError:
            return None
        times = [load.get(name) for name in ("busy_s", "library_s")] if isinstance(load, dict) else []
        numbers = [float(time_s) for time_s in times if isinstance(time_s, int | float)]
        return (numbers[0], numbers[1]) if len(numbers) == 2 else None

    def _ask_before(self) -> None:
        """Make every passage known; if chats are to come back at the end, these are their first questions."""
        count = self.sizes.away if Scenario.AWAY in self.scenarios else len(self.chats.texts.passages)
        for index in range(count):
            messages = self.chats.new("before", index)
            self._asked.append((messages, self._ask(messages, self.sizes.short_tokens).text))

    def _new(self) -> None:
        answers = [self._ask(self.chats.new("new", i), self.sizes.short_tokens) for i in range(self.sizes.new)]
        self.figures[Figure.NEW] = quantile(self._keep(Scenario.NEW, answers), 0.5)

    def _at_once(self) -> None:
        chats = [self.chats.new("together", index) for index in range(self.sizes.together)]
        began_s = time.perf_counter()
        with ThreadPoolExecutor(len(chats)) as pool:
            answers = list(pool.map(lambda messages: self._ask(messages, self.sizes.answer_tokens), chats))
        wall_s = time.perf_counter() - began_s
        self._together = [(messages, answer.text) for messages, answer in zip(chats, answers, strict=True)]
        ttft_ms = self._keep(Scenario.TOGETHER, answers)
        self.figures[Figure.TOGETHER_P50] = quantile(ttft_ms, 0.5)
        self.figures[Figure.TOGETHER_P95] = quantile(ttft_ms, 0.95)
        self.figures[Figure.TOGETHER_RATE] = sum(answer.timeline.tokens for answer in answers) / wall_s

    def _return_in_turn(self) -> None:
        self._return(Scenario.RETURNING, Figure.RETURNING, self._together)

    def _return_after_long(self) -> None:
        self._return(Scenario.AWAY, Figure.AWAY, self._asked)

    def _return(self, scenario: Scenario, figure: Figure, chats: Sequence[tuple[Messages, str]]) -> None:
        if not chats:
            raise ProtocolError("no chat was answered before; nobody can come back")
        answers = [
            self._ask(self.chats.next(messages, answer, scenario, index), self.sizes.short_tokens)
            for index, (messages, answer) in enumerate(chats)
        ]
        self.figures[figure] = quantile(self._keep(scenario, answers), 0.5)

    def _gap(self) -> None:
        """The largest gap of one stream from the moment at which a long prompt is sent."""
        messages = self.chats.new("gap", 0)
        self._ask(messages, self.sizes.short_tokens)
        before = self._ask(messages, self.sizes.short_tokens).timeline  # the stream begins as this one did
        head_s = (_LATER * before.arrivals_ms[-1]) / 1000.0
        for attempt in range(_ATTEMPTS):
            if (gap_ms := self._gap_once(messages, head_s, attempt)) is not None:
                self.figures[Figure.GAP] = gap_ms
                return
        raise ProtocolError(f"{_ATTEMPTS} streams did not run when the long prompt was sent; is the machine busy?")

    def _gap_once(self, messages: Messages, head_s: float, attempt: int) -> float | None:
        """None if the stream had not begun when the long prompt was sent, or had ended already."""
        with ThreadPoolExecutor(1) as pool:
            began_s = time.perf_counter()
            stream = pool.submit(self._ask, messages, self.sizes.stream_tokens)
            time.sleep(head_s)
            sent_ms = (time.perf_counter() - began_s) * 1000.0
            self._keep(Scenario.GAP, [self._ask(self.chats.long("gap", attempt), 2)])
            arrivals_ms = stream.result().timeline.arrivals_ms
        gaps_ms = [after - before for before, after in pairwise(arrivals_ms) if after > sent_ms]
        return max(gaps_ms) if gaps_ms and arrivals_ms[0] < sent_ms else None

    def _memory(self) -> None:
        usage = usage_of(self.pid) if self.pid else None
        if usage is None:
            self.faults[Scenario.MEMORY] = "the server's process is not known; name it with --peer-pid"
        else:
            self.figures[Figure.PEAK_RSS] = float(usage.peak_rss_bytes)

    def _ask(self, messages: Messages, max_tokens: int) -> ChatAnswer:
        answer = self.client.chat(ChatRequest(messages, max_tokens))
        _ttft_ms(answer)
        return answer

    def _keep(self, scenario: Scenario, answers: Sequence[ChatAnswer]) -> tuple[float, ...]:
        found = tuple(round(_ttft_ms(answer), 3) for answer in answers)
        self.ttft_ms[scenario] = found
        self.prompt_tokens[scenario] = sum(answer.prompt_tokens for answer in answers) / len(answers)
        self.cached_tokens[scenario] = sum(answer.cached_tokens for answer in answers) / len(answers)
        return found


def _ttft_ms(answer: ChatAnswer) -> float:
    ttft_ms = answer.timeline.ttft_ms
    if ttft_ms is None:
        raise ProtocolError(f"an answer without text, finish_reason {answer.finish_reason!r}")
    return ttft_ms
