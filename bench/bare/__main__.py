"""``python -m bench.bare``: serve an engine alone, for ``python -m bench engine``; unguarded: never for customers."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from bench.bare import CONTEXT_TOKENS
from bench.bare.assistant import BareOptions, open_bare
from bench.numbers import MOST_THREADS, between, whole
from runtime.errors import RuntimeFault
from runtime.service.app import create_app
from runtime.service.options import ServiceOptions
from runtime.service.server import serve


def main(arguments: Sequence[str]) -> int:
    """Serve until SIGTERM or Ctrl-C; the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.bare",
        description="Serve an engine alone over HTTP: no guard, no sessions, no answer cache. For measuring only.",
        epilog="exit codes: 0 stopped as asked, 2 the model or the address cannot be used",
    )
    add = parser.add_argument
    add("--model", type=Path, required=True, help="a GGUF with a chat template")
    add("--kept", type=Path, required=True, help="folder for what the engine keeps between requests and starts")
    add(
        "--context-tokens",
        type=whole,
        default=CONTEXT_TOKENS,
        help=f"prompt and answer of one chat together, at most ({CONTEXT_TOKENS})",
    )
    add("--cells", type=int, default=4608, help="KV cells for all chats (4608)")
    threads = between(0, MOST_THREADS, "the physical cores")
    add("--threads", type=threads, default=0, help="compute threads; 0: the physical cores (0)")
    add("--port", type=between(0, 65_535, "a free one"), default=0, help="port on 127.0.0.1; 0 takes a free one (0)")
    given = parser.parse_args(arguments)
    try:
        assistant = open_bare(BareOptions(given.model, given.context_tokens, given.cells, given.threads, given.kept))
        try:
            app = create_app(assistant, ServiceOptions(answer_timeout_s=600.0))
            serve(app, "127.0.0.1", given.port, lambda url: print(f"serving {url}", flush=True))
        finally:
            assistant.close()
    except RuntimeFault as error:
        print(f"bench.bare: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
