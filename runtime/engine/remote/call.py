"""One request to the upstream from its first try to its end: retries, timeouts, the circuit breaker."""

from __future__ import annotations

import asyncio
import logging
import random
from contextlib import aclosing
from dataclasses import replace

from runtime.engine.face import GenerationRequest
from runtime.engine.remote.answer import AnswerText, UnusableAnswerError
from runtime.engine.remote.breaker import CircuitBreaker
from runtime.engine.remote.dialect import DIALECTS, PromptForm, request_body
from runtime.engine.remote.generation import RemoteGeneration
from runtime.engine.remote.http import AttemptFailedError, Upstream
from runtime.engine.remote.options import RemoteOptions
from runtime.engine.remote.target import Target, find_target
from runtime.engine.vocabulary import Vocabulary
from runtime.errors import InvalidRequestError

log = logging.getLogger(__name__)

#: Longest wait between two tries, in seconds.
_BACKOFF_LIMIT_S = 4.0

#: Seconds that a server has for its counts after the answer's end.
_COUNTS_S = 2.0

#: Statuses of a server that cannot read what was sent; llama-cpp-python calls it its own failure.
_UNREADABLE = (400, 422, 500)


class Caller:
    """Makes calls to one upstream. All methods belong to one event loop."""

    def __init__(
        self, upstream: Upstream, options: RemoteOptions, vocabulary: Vocabulary, breaker: CircuitBreaker
    ) -> None:
        self._upstream = upstream
        self._options = options
        self._vocabulary = vocabulary
        self._breaker = breaker
        self._target: Target | None = None
        self._finding = asyncio.Lock()
        self._ids_taken = False

    def check(self, request: GenerationRequest, adapters: tuple[str, ...]) -> None:
        """Refuse what cannot be done, as far as the upstream is known by now. Safe from any thread.

        Raises:
            InvalidRequestError: a token, the grammar or the adapter is unknown, or the upstream cannot do it.
        """
        size, sampling = self._vocabulary.size, request.sampling
        for field, tokens in (("prompt", request.prompt), ("logit_bias", tuple(sampling.logit_bias))):
            for token in (token for token in tokens if not 0 <= token < size):
                raise InvalidRequestError(field, f"token {token}; expected 0 to {size - 1}")
        if not request.prompt or request.max_tokens < 1:
            raise InvalidRequestError("prompt", "or max_tokens is empty; expected at least one token of each")
        if request.adapter and request.adapter not in adapters:
            known = ", ".join(adapters) or "none"
            raise InvalidRequestError("adapter", f"{request.adapter!r} is unknown; expected one of: {known}")
        if sampling.grammar and request.ignore_eos:
            raise InvalidRequestError("ignore_eos", "is true beside a response_format; expected one of them")
        if sampling.grammar and not self._vocabulary.parses(sampling.grammar):
            raise InvalidRequestError("response_format", "its grammar does not parse")
        if (target := self._target) is not None:
            request_body(request, target.kind, "", "", self._vocabulary.end_tokens)

    async def target(self) -> Target:
        """Who the upstream is; asked once, and again after it failed.

        Raises:
            AttemptFailedError: it does not say.
        """
        async with self._finding:
            if self._target is None:
                self._target = await find_target(self._upstream, self._options, self._vocabulary)
            return self._target

    async def run(self, generation: RemoteGeneration) -> None:
        """Fill a generation to its end.

        Raises:
            EngineError: the upstream failed.
            InvalidRequestError: this kind of server cannot do what is asked.
        """
        total_s = self._options.total_timeout_s
        try:
            async with asyncio.timeout(total_s):
                await self._try(generation)
        except TimeoutError:
            remedy = "ask for fewer tokens or raise total_timeout_s"
            raise self._upstream.fault(f"the answer took over {total_s:g} s", remedy) from None

    async def _try(self, generation: RemoteGeneration) -> None:
        tries = 0
        while True:
            if (blocked_s := self._breaker.enter()) > 0:
                raise self._upstream.unavailable(f"left alone after failures ({self._breaker.why})", "wait", blocked_s)
            try:
                return await self._attempt(generation)
            except AttemptFailedError as failed:
                wait_s = self._wait_s(failed, tries)
                if wait_s is None or generation.given_out or self._breaker.blocked_s() > 0:
                    raise failed.error from failed
                log.info("%s; trying again in %.1f s", failed, wait_s)
            tries += 1
            await asyncio.sleep(wait_s)

    def _wait_s(self, failed: AttemptFailedError, tries: int) -> float | None:
        """Seconds until the next try (exponential backoff with full jitter), or None: there is none."""
        if not failed.retry or tries >= self._options.retries:
            return None
        if failed.after_s is not None:
            return failed.after_s if failed.after_s <= self._options.retry_after_limit_s else None
        return random.uniform(0, min(_BACKOFF_LIMIT_S, self._options.backoff_s * 2**tries))

    async def _attempt(self, generation: RemoteGeneration) -> None:
        try:
            await self._ask(generation)
        except AttemptFailedError as failed:
            if failed.outage:
                self._target = None  # whoever comes back may be another
                log.warning("%s", failed)
                self._breaker.failed(str(failed))
            else:
                self._breaker.left()
            raise
        except BaseException:  # cancelled, or refused by ourselves: says nothing about the server
            self._breaker.left()
            raise
        self._breaker.succeeded()

    async def _ask(self, generation: RemoteGeneration) -> None:
        target = await self.target()
        try:
            await self._stream(generation, target)
        except AttemptFailedError as failed:
            changeable = self._options.prompt_form is PromptForm.AUTO and target.form is PromptForm.IDS
            if failed.status not in _UNREADABLE or not changeable or self._ids_taken:
                raise
            log.info("%s; trying the prompt as text", failed)
            as_text = replace(target, form=PromptForm.TEXT)
            try:
                await self._stream(generation, as_text)
            except AttemptFailedError as again:
                raise (failed if again.status in _UNREADABLE else again) from again
            self._target = as_text

    async def _stream(self, generation: RemoteGeneration, target: Target) -> None:
        options, request = self._options, generation.request
        limit = min(request.max_tokens, options.context_tokens - len(request.prompt))
        prompt = self._vocabulary.decode(request.prompt) if target.form is PromptForm.TEXT else request.prompt
        model = request.adapter or target.model
        body = request_body(replace(request, max_tokens=limit), target.kind, model, prompt, self._vocabulary.end_tokens)
        text = AnswerText(generation, limit, self._vocabulary, DIALECTS[target.kind].counts_end)
        loop = asyncio.get_running_loop()
        silence = asyncio.timeout(options.first_token_timeout_s)
        try:
            async with silence, aclosing(self._upstream.complete(body)) as chunks:
                async for chunk in chunks:
                    self._ids_taken = self._ids_taken or target.form is PromptForm.IDS
                    if text.feed(chunk):
                        return
                    if chunk.text or chunk.ids or chunk.finish:
                        self._breaker.alive()
                        limit_s = _COUNTS_S if text.finished else options.token_timeout_s
                        silence.reschedule(loop.time() + limit_s)
        except TimeoutError:
            if not text.finished:
                raise self._silent(generation) from None
        except AttemptFailedError:
            if not text.finished:  # else only counts are missing
                raise
        except UnusableAnswerError as error:
            raise AttemptFailedError(self._upstream.fault(str(error), "look into the server's log")) from error
        try:
            text.finish()
        except UnusableAnswerError as error:
            broken = self._upstream.unavailable(str(error), "look into the server's log")
            raise AttemptFailedError(broken, retry=True) from error

    def _silent(self, generation: RemoteGeneration) -> AttemptFailedError:
        remedy = "the server is overloaded or hangs; look into its log"
        if generation.completion_tokens:
            problem = f"no further token within {self._options.token_timeout_s:g} s"
        else:
            problem = f"no first token within {self._options.first_token_timeout_s:g} s"
        return AttemptFailedError(self._upstream.unavailable(problem, remedy))
