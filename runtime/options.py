"""The options of ``python -m runtime``, from the command line or the environment, and what they mean to its parts."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Mapping
from pathlib import Path

from guards.audit.log import AuditOptions
from runtime.assistant.answering import AnsweringOptions
from runtime.assistant.desk import DeskOptions
from runtime.assistant.opening import OpeningOptions
from runtime.engine.blobs.store import BlobOptions
from runtime.engine.settings import LocalOptions
from runtime.errors import StartError
from runtime.service.keys import load_keys
from runtime.service.options import ServiceOptions

ENVIRONMENT = "TELLERBOX_"

Command = Callable[[argparse.Namespace], int]


def parser(commands: Mapping[str, Command]) -> argparse.ArgumentParser:
    """The parser of all options; ``commands`` runs ``serve``, ``chat`` and ``check``."""
    root = argparse.ArgumentParser(
        prog="python -m runtime",
        description="Serve a bundle over HTTP, talk to it in the terminal, or check that it would start.",
        epilog=f"Every option can also stand in the environment: --max-answers as {ENVIRONMENT}MAX_ANSWERS. "
        "Exit codes: 0 good, 1 the thing checked fell short, 2 bad usage or bad input, 130 stopped by Ctrl-C.",
    )
    common = argparse.ArgumentParser(add_help=False)
    natural, positive = _whole(0), _whole(1)
    _option(common, "--bundle", "models/demo", "the bundle's folder", Path)
    _option(common, "--policy", None, "guard policy file (TOML), followed while serving; default: built in", Path)
    _option(common, "--profile", None, "the shop's particulars (TOML: name, phone, email, hours, website)", Path)
    _option(common, "--audit", None, "folder of the audit log, a line a turn; default: none is kept", Path)
    _option(common, "--audit-key", None, "file of its key, made at first use; default: the folder's name + .key", Path)
    _option(common, "--audit-text", 0, "characters kept of each question and answer, redacted; 0: none", natural)
    _option(common, "--adapter-shares", None, "file that keeps the adapters' shares over a restart", Path)
    _option(common, "--upstream", "", "OpenAI-compatible server that computes answers (vLLM, llama-server)", str)
    _option(common, "--upstream-key-file", None, "file that holds the upstream's key and nothing else", Path)
    _option(common, "--upstream-model", "", "the model's name there; default: the first that it lists", str)
    _option(common, "--threads", 0, "compute threads; 0: the physical cores", natural)
    _option(common, "--cells", 0, "KV cells, one a token; 0: by the memory there is", natural)
    _option(common, "--parallel", LocalOptions().parallel, "answers computed at once; the others wait", positive)
    _option(common, "--queue", LocalOptions().queue_capacity, "questions that may wait; one more is refused", positive)
    _option(
        common, "--patience-s", AnsweringOptions().patience_s, "refuse who would wait longer for a first word", _seconds
    )
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
    subparsers = root.add_subparsers(required=True, metavar="COMMAND")
    serve = subparsers.add_parser("serve", parents=[common], help="serve over HTTP until SIGTERM or Ctrl-C")
    _option(serve, "--host", "127.0.0.1", "address to listen on", str)
    _option(serve, "--port", 8080, "port to listen on; 0 takes a free one", natural)
    _option(serve, "--keys", None, "file of API keys, `name role key` a line; default: everybody may ask", Path)
    for name, kind, text in _SERVICE:
        _option(serve, "--" + name.replace("_", "-"), getattr(ServiceOptions(), name), text, kind)
    serve.set_defaults(run=commands["serve"])
    chat = subparsers.add_parser("chat", parents=[common], help="talk to the assistant in the terminal")
    chat.set_defaults(run=commands["chat"])
    check = subparsers.add_parser("check", parents=[common], help="verify the bundle, load everything, answer once")
    check.add_argument("--json", action="store_true", help="print the result as JSON")
    check.set_defaults(run=commands["check"])
    return root


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
    command: argparse.ArgumentParser, flag: str, default: object, text: str, kind: Callable[[str], object]
) -> None:
    """Add an option whose default an environment variable may give (argparse converts it like a typed one)."""
    shown = "" if default in (None, "", ()) else f" (default: {default})"
    command.add_argument(flag, type=kind, default=_given(flag, default), help=text + shown)


def service_options(options: argparse.Namespace) -> ServiceOptions:
    """What ``serve`` was told of the service. Raises StartError for a file of keys that cannot be used."""
    limits = {name: getattr(options, name) for name, _, _ in _SERVICE}
    return ServiceOptions(api_keys=load_keys(options.keys) if options.keys else (), **limits)


def opening_options(options: argparse.Namespace) -> OpeningOptions:
    """What any command was told of the desk. Raises StartError for a key file that cannot be read."""
    return OpeningOptions(
        bundle=Path(options.bundle),
        policy=options.policy,
        profile=options.profile,
        allow_degraded=options.allow_degraded,
        engine=engine_options(options),
        upstream=options.upstream,
        upstream_key=_key(options.upstream_key_file),
        upstream_model=options.upstream_model,
        adapter_shares=options.adapter_shares,
        audit=options.audit,
        audit_key=options.audit_key,
        audit_options=AuditOptions(text_chars=options.audit_text),
        desk=DeskOptions(AnsweringOptions(answer_tokens=options.answer_tokens, patience_s=options.patience_s)),
    )


def engine_options(options: argparse.Namespace) -> LocalOptions:
    """What any command was told of our own engine."""
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
