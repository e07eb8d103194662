"""Who the upstream is: which program, which model, and whether its tokenizer cuts text as ours does."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass

from runtime.engine.remote.dialect import DIALECTS, OWNERS, PromptForm, ServerKind
from runtime.engine.remote.http import AttemptFailedError, Upstream
from runtime.engine.remote.options import RemoteOptions
from runtime.engine.vocabulary import Vocabulary

log = logging.getLogger(__name__)

#: Numbers, marks and words: vocabularies that cut all of it alike are the same one.
_SAMPLE = "Order 4711 was shipped on Tuesday; the refund of 20.50 EUR arrives within 5-7 business days, won't it?"


@dataclass(frozen=True, slots=True)
class Target:
    """What was found out.

    Attributes:
        kind: which program answers.
        model: the name that requests give.
        adapters: names of adapters that it lists.
        form: how prompts are sent.
        context_tokens: the server's own limit; 0 if it does not say.
        notes: each finding, and what follows from it.
    """

    kind: ServerKind
    model: str
    adapters: tuple[str, ...]
    form: PromptForm
    context_tokens: int
    notes: tuple[str, ...]


async def find_target(upstream: Upstream, options: RemoteOptions, vocabulary: Vocabulary) -> Target:
    """Ask the server who it is.

    Raises:
        AttemptFailedError: it does not answer, or lists no model where none is given.
    """
    try:
        entries = _entries(await upstream.ask("GET", "/v1/models"))
    except AttemptFailedError as failed:
        if failed.status != 404 or not options.model:
            raise
        entries = []
    owner = next((str(entry.get("owned_by")) for entry in entries), "")
    kind = options.kind or OWNERS.get(owner, ServerKind.OTHER)
    adapters = tuple(str(entry["id"]) for entry in entries if entry.get("parent"))
    model = options.model or next((str(e["id"]) for e in entries if not e.get("parent")), "")
    if not model:
        raise AttemptFailedError(upstream.fault("/v1/models lists no model", "give the model's name"))
    form, why = await _form(upstream, options, vocabulary, kind, model)
    chosen = "as configured" if options.model else "the first listed"
    notes: tuple[str, ...] = (
        f"upstream {upstream.url}, {kind}, model {model}: {chosen}",
        f"prompts as {form}: {why}",
    )
    context_tokens = _context_tokens(next((e for e in entries if e["id"] == model), {}))
    if 0 < context_tokens < options.context_tokens:
        short = f"context {context_tokens} tokens: the upstream has no more; the bundle's is {options.context_tokens}"
        notes = (*notes, short)
    return Target(kind, model, adapters, form, context_tokens, notes)


def _entries(answer: object) -> list[Mapping[str, object]]:
    data = answer.get("data") if isinstance(answer, Mapping) else None
    return (
        [e for e in data if isinstance(e, Mapping) and isinstance(e.get("id"), str)] if isinstance(data, list) else []
    )


def _context_tokens(entry: Mapping[str, object]) -> int:
    """``max_model_len`` is vLLM's name, ``meta.n_ctx`` llama-server's."""
    meta = entry.get("meta")
    found = meta.get("n_ctx") if isinstance(meta, Mapping) else entry.get("max_model_len")
    return found if type(found) is int and found > 0 else 0


async def _form(
    upstream: Upstream, options: RemoteOptions, vocabulary: Vocabulary, kind: ServerKind, model: str
) -> tuple[PromptForm, str]:
    """How prompts are sent, and why. Ids mean something else to another vocabulary, so that is tried first."""
    if options.prompt_form is PromptForm.TEXT:
        return PromptForm.TEXT, "as configured"
    if options.prompt_form is PromptForm.AUTO and not DIALECTS[kind].takes_ids:
        return PromptForm.TEXT, f"{kind} takes no token ids"
    theirs = await _tokens(upstream, kind, model)
    if theirs is None:
        return PromptForm.IDS, "its tokenizer cannot be asked and is believed to be the bundle's"
    if theirs == vocabulary.encode(_SAMPLE):
        return PromptForm.IDS, "its tokenizer cuts a sample as the bundle's does"
    if options.prompt_form is PromptForm.IDS:
        remedy = "serve the bundle's model there, or send text"
        raise AttemptFailedError(upstream.fault("its tokenizer is not the bundle's", remedy))
    log.warning("upstream %s: its tokenizer is not the bundle's; is it the right model?", upstream.url)
    return PromptForm.TEXT, "its tokenizer is not the bundle's"


async def _tokens(upstream: Upstream, kind: ServerKind, model: str) -> tuple[int, ...] | None:
    """The sample in the server's token ids; None if it has no tokenizer to ask."""
    way = DIALECTS[kind].tokenize
    if way is None:
        return None
    path, field, more = way
    try:
        answer = await upstream.ask("POST", path, {"model": model, field: _SAMPLE, **more})
    except AttemptFailedError as failed:
        if failed.status in (400, 401, 403, 404, 405, 422, 501):
            return None
        raise
    tokens = answer.get("tokens") if isinstance(answer, Mapping) else None
    return tuple(tokens) if isinstance(tokens, list) and all(type(token) is int for token in tokens) else None
