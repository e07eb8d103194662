"""The options of ``bench engine``, ``bench drafts`` and ``bench shape``, and what they choose."""

from __future__ import annotations

import argparse
from pathlib import Path

from bench.bare import CONTEXT_TOKENS
from bench.engine.figures import DEFAULT, FULL, QUICK, Scenario
from bench.engine.run import EngineOptions
from bench.engine.sides import FLAGS, Elsewhere, LlamaServer, Ours, Setting, Side
from bench.errors import UsageError
from bench.numbers import MOST_THREADS, between, whole
from bench.process import DEFAULT_BUNDLE
from bench.wire import Limits, parse_address

DEMO_MODEL = DEFAULT_BUNDLE / "model.gguf"

_MOST_LAYERS = 512  # that llama.cpp loads (LLAMA_MAX_LAYERS)
_MOST_WIDTH = 65_536  # above that of any published Llama; a weight of this squared takes 2.4 GB while it is written
_MOST_TIMEOUT_S = 1_000_000


def engine_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``engine``."""
    add = parser.add_argument
    add(
        "--model", type=Path, help="GGUF that every side loads; `python -m bench shape` makes one (--quick: the demo's)"
    )
    add(
        "--peer", default="", metavar="URL", help="a running llama-server, or any server with OpenAI's chat completions"
    )
    add("--peer-pid", type=whole, metavar="PID", help="with --peer: its process on this machine, to read its memory")
    add("--peer-binary", type=Path, metavar="FILE", help="a llama-server to start afresh for every turn")
    add(
        "--flags",
        default="",
        metavar="LIST",
        help=f"how the peer is started, or with --peer was: {','.join(FLAGS)} (all; with --peer: {DEFAULT})",
    )
    add("--rounds", type=whole, default=3, help="turns of each side (3)")
    names = ",".join(Scenario)
    add(
        "--scenarios", default=names, metavar="LIST", help=f"what to measure: {names} (all; `away` is half of the time)"
    )
    add("--threads", type=between(1, MOST_THREADS), default=2, help="compute threads of each side that is started (2)")
    cells = between(CONTEXT_TOKENS, 1_000_000_000, "one chat's context")
    add("--cells", type=cells, default=4608, help="KV cells of ours and of the tuned peer (4608)")
    add("--quick", action="store_true", help="few and short chats: to see that it works, not for figures")
    add("--seed", type=whole, default=1, help="of what is asked (1); take another one for a peer that has run before")
    timeout = between(1, _MOST_TIMEOUT_S)
    add(
        "--timeout", type=timeout, default=180, metavar="S", help="longest wait for the next piece of an answer (180 s)"
    )
    add("--out", type=Path, metavar="FILE", help="also write the result as JSON")
    add("--json", action="store_true", help="print JSON instead of tables")


def drafts_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``drafts``."""
    add = parser.add_argument
    add("--model", type=Path, default=DEMO_MODEL, help="GGUF whose answers follow templates (the demo's)")
    add("--rounds", type=whole, default=3, help="of 24 questions for each kind of answers (3)")
    threads = between(0, MOST_THREADS, "the physical cores")
    add("--threads", type=threads, default=0, help="compute threads (0: the physical cores)")
    add("--out", type=Path, metavar="FILE", help="also write the result as JSON")
    add("--json", action="store_true", help="print JSON instead of tables")


def shape_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``shape``."""
    add = parser.add_argument
    add("--out", type=Path, required=True, metavar="FILE", help="where the GGUF goes; 668 MB for TinyLlama's shape")
    add("--tokenizer", type=Path, default=DEMO_MODEL, metavar="FILE", help="GGUF whose tokenizer it gets (the demo's)")
    for name, size, kind, text in (
        ("layers", 22, between(1, _MOST_LAYERS), "transformer blocks"),
        ("width", 2048, between(1, _MOST_WIDTH), "of the residual stream"),
        ("hidden", 5632, between(1, _MOST_WIDTH), "width of the feed-forward part"),
        ("heads", 32, whole, "of queries"),
        ("kv-heads", 4, whole, "of keys and values"),
        ("vocabulary", 32_000, whole, "tokens"),
        ("context-tokens", 2048, whole, "context that the model claims"),
    ):
        add(f"--{name}", type=kind, default=size, metavar="N", help=f"{text} ({size})")
    add("--seed", type=whole, default=1, help="of the weights (1)")


def chosen(given: argparse.Namespace) -> EngineOptions:
    """What the options of ``engine`` ask for.

    Raises:
        UsageError: they contradict each other, or name what is not known.
    """
    model = given.model or (DEMO_MODEL if given.quick else None)
    if model is None:
        raise UsageError("--model is missing; expected a GGUF, such as `python -m bench shape --out FILE` makes")
    setting = Setting(model.absolute(), given.threads, given.cells)
    return EngineOptions(
        setting=setting,
        sides=(Ours(setting), *_peers(given, setting)),
        rounds=given.rounds,
        scenarios=frozenset(Scenario(name) for name in _listed("--scenarios", given.scenarios, tuple(Scenario))),
        sizes=QUICK if given.quick else FULL,
        seed=given.seed,
        limits=Limits(progress_s=float(given.timeout), total_s=5.0 * given.timeout),
    )


def _peers(given: argparse.Namespace, setting: Setting) -> tuple[Side, ...]:
    if given.peer and given.peer_binary:
        raise UsageError("--peer and --peer-binary are both given; expected one of them")
    if given.peer_pid and not given.peer:
        raise UsageError("--peer-pid is given without --peer; a peer that bench starts is known to it")
    if given.peer:
        names = _listed("--flags", given.flags or DEFAULT, tuple(FLAGS))
        if len(names) != 1:
            raise UsageError(f"--flags {given.flags}; expected with --peer the one that its server was started with")
        return (Elsewhere(parse_address(given.peer), given.peer_pid or 0, names[0]),)
    if given.peer_binary:
        binary = given.peer_binary.absolute()
        return tuple(LlamaServer(binary, setting, name) for name in _listed("--flags", given.flags, tuple(FLAGS)))
    return ()


def _listed(option: str, text: str, known: tuple[str, ...]) -> tuple[str, ...]:
    """The names in a list with commas, each once; all if it is empty."""
    names = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    for name in names:
        if name not in known:
            raise UsageError(f"{option}: {name!r} is not known; expected some of {','.join(known)}")
    return names or known
