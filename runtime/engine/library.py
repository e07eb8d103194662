"""libllama as this process uses it: initialised once, its log lines sent to ``logging``."""

from __future__ import annotations

import ctypes
import logging
import threading

import llama_cpp

log = logging.getLogger("runtime.engine.libllama")

#: ``enum ggml_log_level`` of ggml.h. The binding's own table is shifted by one, so it is not used.
_LEVELS = {1: logging.DEBUG, 2: logging.DEBUG, 3: logging.WARNING, 4: logging.ERROR}
_CONTINUE = 5

_lock = threading.Lock()
_ready = False
_last_level = logging.DEBUG
_hushed = False


def hush(on: bool) -> None:
    """Whether libllama is about to complain of what is meant so: its lines then count as details."""
    global _hushed
    _hushed = on


@llama_cpp.llama_log_callback  # type: ignore[untyped-decorator]
def _forward(level: int, text: bytes, _user_data: object) -> None:
    global _last_level
    if level != _CONTINUE:
        _last_level = _LEVELS.get(level, logging.DEBUG)
    log.log(logging.DEBUG if _hushed else _last_level, "%s", text.decode("utf-8", errors="replace").rstrip("\n"))


def start_library() -> None:
    """Initialise libllama; further calls do nothing."""
    global _ready
    with _lock:
        if not _ready:
            llama_cpp.llama_log_set(_forward, ctypes.c_void_p(0))
            llama_cpp.llama_backend_init()
            _ready = True
