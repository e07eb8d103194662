"""``python -m runtime``: serve a bundle over HTTP, talk to it in the terminal, or check that it would start."""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections.abc import Sequence

from guards.errors import GuardFault
from models.errors import BundleError
from runtime.assistant.opening import open_desk
from runtime.assistant.turn import AnswerOptions, TurnEnd
from runtime.errors import RuntimeFault, StartError
from runtime.options import Command, opening_options, parser, service_options
from runtime.service.app import create_app
from runtime.service.server import serve


def main(argv: Sequence[str] | None = None) -> int:
    """Run a subcommand.

    Returns:
        0 good, 1 the thing checked fell short, 2 bad usage or bad input.
    """
    options = parser({"serve": _serve, "chat": _chat, "check": _check}).parse_args(argv)
    logging.basicConfig(level=options.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    run: Command = options.run
    try:
        return run(options)
    except (BundleError, GuardFault, StartError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def _serve(options: argparse.Namespace) -> int:
    service = service_options(options)
    desk = open_desk(opening_options(options))
    try:
        serve(create_app(desk, service), options.host, options.port, lambda url: print(f"serving {url}", flush=True))
    finally:
        desk.close()
    return 0


def _chat(options: argparse.Namespace) -> int:
    desk = open_desk(opening_options(options))
    print(f"{desk.model_name}: type a message; an empty line starts a new conversation; Ctrl-D ends", file=sys.stderr)
    session = ""
    try:
        while True:
            try:
                question = input("> ")
            except EOFError:
                return 0
            if not question.strip():
                desk.end_session(session, "terminal")
                session = ""
                continue
            try:
                turn = desk.query(question, session, AnswerOptions(), "terminal")
                for text in turn:
                    print(text, end="", flush=True)
                print()
            except RuntimeFault as error:
                print(f"error: {error}", file=sys.stderr)
                session = ""
                continue
            session = turn.result.session_id
    finally:
        desk.close()


def _check(options: argparse.Namespace) -> int:
    desk = open_desk(opening_options(options))
    try:
        turn = desk.query("How can I cancel my order?", "", AnswerOptions(), "check")
        answer = "".join(turn)
        health = desk.health()
    except RuntimeFault as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    finally:
        desk.close()
    by_model = any(source.startswith("model:") for source in turn.result.sources)
    good = by_model and bool(answer.strip()) and turn.result.end in (TurnEnd.STOP, TurnEnd.LENGTH)
    if options.json:
        print(json.dumps({"good": good, "answer": answer, "health": health}, ensure_ascii=False))
    else:
        print(f"{options.bundle}: {'good' if good else 'the model gave no answer'}; guard {health['guard']}\n{answer}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
