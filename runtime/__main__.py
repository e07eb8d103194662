"""``python -m runtime``: serve a bundle over HTTP, talk to it in the terminal, or check that it would start."""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from guards.errors import GuardFault
from models.errors import BundleError
from runtime.assistant.desk import Desk, DeskOptions
from runtime.assistant.opening import OpeningOptions, open_desk
from runtime.assistant.turn import AnswerOptions, TurnEnd
from runtime.engine.blobs.store import BlobOptions
from runtime.engine.settings import LocalOptions
from runtime.errors import RuntimeFault, StartError
from runtime.service.app import create_app
from runtime.service.keys import load_keys
from runtime.service.options import ServiceOptions
from runtime.service.server import serve

ENVIRONMENT = "TELLERBOX_"


def main(argv: Sequence[str] | None = None) -> int:
    """Run a subcommand.

    Returns:
        0 good, 1 the thing checked fell short, 2 bad usage or bad input.
    """
    options = _parser().parse_args(argv)
    logging.basicConfig(level=options.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    run: Callable[[argparse.Namespace], int] = options.run
    try:
        return run(options)
    except (BundleError, GuardFault, StartError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m runtime",
        description=__doc__,
        epilog=f"Every option can also stand in the environment: --max-answers as {ENVIRONMENT}MAX_ANSWERS. "
        "Exit codes: 0 good, 1 the thing checked fell short, 2 bad usage or bad input, 130 stopped by Ctrl-C.",
    )
    common = argparse.ArgumentParser(add_help=False)
    natural, positive = _whole(0), _whole(1)
    _option(common, "--bundle", "models/demo", "the bundle's folder", Path)
    _option(common, "--policy", None, "guard policy file (TOML); default: the built-in one", Path)
    _option(common, "--profile", None, "the shop's particulars (TOML: name, phone, email, hours, website)", Path)
    _option(common, "--adapter-shares", None, "file that keeps the adapters' shares over a restart", Path)
    _option(common, "--upstream", "", "OpenAI-compatible server that computes answers (vLLM, llama-server)", str)
    _option(common, "--upstream-key-file", None, "file that holds the upstream's key and nothing else", Path)
    _option(common, "--upstream-model", "", "the model's name there; default: the first that it lists", str)
    _option(common, "--threads", 0, "compute threads; 0: the physical cores", natural)
    _option(common, "--cells", 0, "KV cells, one a token; 0: by the memory there is", natural)
    _option(common, "--parallel", LocalOptions().parallel, "answers computed at once; the others wait", positive)
    _option(common, "--queue", LocalOptions().queue_capacity, "questions that may wait; one more is refused", positive)
    _option(common, "--patience-s", DeskOptions().patience_s, "refuse who would wait longer for a first word", _seconds)
    _option(common, "--cache-ram-mib", 64, "memory for prefixes for which there are no cells", natural)
    _option(common, "--cache-disk-mib", 512, "disk for them, also over a restart; 0: none", natural)
    _option(common, "--cache-dir", _cache_home(), "where on the disk", Path)
    _option(common, "--drafts", "on", "guess words out of earlier answers where that pays: on or off", _on_off)
    _option(common, "--answer-tokens", 256, "longest answer, in tokens, where the caller names no limit", positive)
    _option(common, "--log-level", "warning", "debug, info, warning or error", _level)
    common.add_argument(
        "--allow-degraded",
        action="store_true",
        default=_switch(str(_given("--allow-degraded", ""))),
        help="start although the guard's classifier cannot be loaded; /health then says so",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    serve = commands.add_parser("serve", parents=[common], help="serve over HTTP until SIGTERM or Ctrl-C")
    _option(serve, "--host", "127.0.0.1", "address to listen on", str)
    _option(serve, "--port", 8080, "port to listen on; 0 takes a free one", natural)
    _option(serve, "--keys", None, "file of API keys, `name role key` a line; default: everybody may ask", Path)
    for name, kind, text in _SERVICE:
        _option(serve, "--" + name.replace("_", "-"), getattr(ServiceOptions(), name), text, kind)
    serve.set_defaults(run=_serve)
    chat = commands.add_parser("chat", parents=[common], help="talk to the assistant in the terminal")
    chat.set_defaults(run=_chat)
    check = commands.add_parser("check", parents=[common], help="verify the bundle, load everything, answer once")
    check.add_argument("--json", action="store_true", help="print the result as JSON")
    check.set_defaults(run=_check)
    return parser


def _whole(least: int) -> Callable[[str], int]:
    """An argparse type: a whole number, at least ``least``."""

    def number(text: str) -> int:
        if not text.isdecimal() or int(text) < least:
            raise argparse.ArgumentTypeError(f"{text!r} is no whole number of at least {least}")
        return int(text)

    return number


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds above 0")
    return value


def _origins(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _switch(text: str) -> bool:
    """Whether an environment variable switches something on; anything but a plain yes does not."""
    return text.strip().lower() in ("1", "true", "yes", "on")


def _on_off(text: str) -> bool:
    """An argparse type: a switch that is on unless it is turned off, so a misspelt word must not do that."""
    if text.strip().lower() in ("0", "false", "no", "off"):
        return False
    if not _switch(text):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no switch; expected on or off; correct the option or its variable"
        )
    return True


def _level(text: str) -> str:
    if text.lower() not in ("debug", "info", "warning", "error"):
        raise argparse.ArgumentTypeError(f"{text!r} is no log level; expected debug, info, warning or error")
    return text.lower()


#: Fields of ServiceOptions that are options of ``serve``: name, type, help.
_SERVICE: tuple[tuple[str, Callable[[str], object], str], ...] = (
    ("max_answers", _whole(1), "answers under way at once; one more is refused"),
    ("answer_timeout_s", _seconds, "seconds after which an answer is cut short"),
    ("stop_grace_s", _seconds, "seconds that running answers have when the server is told to stop"),
    ("max_body_bytes", _whole(1), "largest request body"),
    ("rate_per_minute", _whole(0), "questions a client may ask per minute; 0: no limit"),
    ("rate_burst", _whole(1), "questions a client may ask at once before the rate counts"),
    ("allowed_origins", _origins, "web origins besides our own whose pages may call, separated by commas"),
    ("trusted_proxy", str, "address of a reverse proxy whose X-Forwarded headers are believed"),
    ("page_idle_s", _whole(1), "seconds without a touch after which the chat page forgets its customer"),
    ("page_title", str, "heading of the chat page"),
)


def _given(flag: str, default: object) -> object:
    return os.environ.get(ENVIRONMENT + flag.lstrip("-").replace("-", "_").upper(), default)


def _option(
    parser: argparse.ArgumentParser, flag: str, default: object, text: str, kind: Callable[[str], object]
) -> None:
    """Add an option whose default an environment variable may give (argparse converts it like a typed one)."""
    shown = "" if default in (None, "", ()) else f" (default: {default})"
    parser.add_argument(flag, type=kind, default=_given(flag, default), help=text + shown)


def _serve(options: argparse.Namespace) -> int:
    limits = {name: getattr(options, name) for name, _, _ in _SERVICE}
    service = ServiceOptions(api_keys=load_keys(options.keys) if options.keys else (), **limits)
    desk = _open(options)
    try:
        serve(create_app(desk, service), options.host, options.port, lambda url: print(f"serving {url}", flush=True))
    finally:
        desk.close()
    return 0


def _open(options: argparse.Namespace) -> Desk:
    return open_desk(
        OpeningOptions(
            bundle=Path(options.bundle),
            policy=options.policy,
            profile=options.profile,
            allow_degraded=options.allow_degraded,
            engine=_engine_options(options),
            upstream=options.upstream,
            upstream_key=_key(options.upstream_key_file),
            upstream_model=options.upstream_model,
            adapter_shares=options.adapter_shares,
            desk=DeskOptions(answer_tokens=options.answer_tokens, patience_s=options.patience_s),
        )
    )


def _engine_options(options: argparse.Namespace) -> LocalOptions:
    folder = options.cache_dir / Path(options.bundle).resolve().name if options.cache_disk_mib else None
    return LocalOptions(
        threads=options.threads,
        cells=options.cells,
        parallel=options.parallel,
        queue_capacity=options.queue,
        blobs=BlobOptions(options.cache_ram_mib << 20, folder, options.cache_disk_mib << 20),
        drafting=options.drafts,
    )


def _cache_home() -> Path:
    """Where a program keeps what it can make anew (XDG Base Directory Specification)."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tellerbox"


def _key(path: Path | None) -> str:
    """The key in a file; empty if there is no file to read."""
    if path is None:
        return ""
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise StartError(f"{path}: the upstream's key cannot be read ({error}); expected a text file") from error


def _chat(options: argparse.Namespace) -> int:
    desk = _open(options)
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
    desk = _open(options)
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
