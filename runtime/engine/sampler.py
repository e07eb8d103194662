"""The choice of the next token, made in C by a chain of libllama samplers (llama.cpp/src/llama-sampler.cpp)."""

from __future__ import annotations

import random

import llama_cpp

from runtime.engine.face import Sampling
from runtime.engine.llama import Llama
from runtime.errors import InvalidRequestError

#: Tokens that the repeat penalty looks back on, llama.cpp's own default.
PENALTY_TOKENS = 64


class Sampler:
    """One request's chain. Order: bias, grammar, penalties, top-k, top-p, min-p, temperature, choice."""

    def __init__(self, llama: Llama, sampling: Sampling, *, ignore_eos: bool = False) -> None:
        """Build the chain; with ``ignore_eos`` no end token is ever chosen.

        Raises:
            InvalidRequestError: a biased token is not in the vocabulary, the grammar does not parse, or it is to be
                followed without ever ending: once it is complete nothing but an end token is left to choose, and
                libllama ends the process when there is nothing.
        """
        if ignore_eos and sampling.grammar:
            raise InvalidRequestError("ignore_eos", "is true beside a response_format; expected one of them")
        self._llama = llama
        for token in sampling.logit_bias:
            if not 0 <= token < llama.vocabulary.size:
                raise InvalidRequestError("logit_bias", f"token {token}; expected 0 to {llama.vocabulary.size - 1}")
        banned = llama.vocabulary.end_tokens if ignore_eos else ()
        bias = {**sampling.logit_bias, **{token: float("-inf") for token in banned}}
        self._chain = llama_cpp.llama_sampler_chain_init(llama_cpp.llama_sampler_chain_default_params())
        if bias:
            entries = (llama_cpp.llama_logit_bias * len(bias))(*bias.items())
            self._add(llama_cpp.llama_sampler_init_logit_bias(llama.vocabulary.size, len(bias), entries))
        if sampling.grammar:
            grammar = llama_cpp.llama_sampler_init_grammar(llama.vocabulary.handle, sampling.grammar.encode(), b"root")
            if not grammar:
                self.close()
                raise InvalidRequestError("response_format", "its grammar does not parse")
            self._add(grammar)
        if sampling.repeat_penalty != 1.0:
            self._add(
                llama_cpp.llama_sampler_init_penalties(
                    llama.vocabulary.size, PENALTY_TOKENS, sampling.repeat_penalty, 0.0, 0.0
                )
            )
        if sampling.temperature <= 0:
            self._add(llama_cpp.llama_sampler_init_greedy())
            return
        if sampling.top_k > 0:
            self._add(llama_cpp.llama_sampler_init_top_k(sampling.top_k))
        if sampling.top_p < 1:
            self._add(llama_cpp.llama_sampler_init_top_p(sampling.top_p, 1))
        if sampling.min_p > 0:
            self._add(llama_cpp.llama_sampler_init_min_p(sampling.min_p, 1))
        self._add(llama_cpp.llama_sampler_init_temp(sampling.temperature))
        seed = random.getrandbits(32) if sampling.seed is None else sampling.seed & 0xFFFFFFFF
        self._add(llama_cpp.llama_sampler_init_dist(seed))

    def _add(self, sampler: llama_cpp.llama_sampler_p) -> None:
        llama_cpp.llama_sampler_chain_add(self._chain, sampler)

    def sample(self, row: int) -> int:
        """The next token, from the logits of a row of the last batch; the chain takes note of it."""
        return self._llama.sample(self._chain, row)

    def close(self) -> None:
        """Free the chain."""
        llama_cpp.llama_sampler_free(self._chain)
