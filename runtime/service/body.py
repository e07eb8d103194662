"""Reading JSON bodies strictly: what is no UTF-8, no JSON or no object is refused in plain words."""

from __future__ import annotations

import json
from typing import NoReturn

from flask import Request

from runtime.errors import InvalidRequestError


class JsonRequest(Request):
    """A request whose ``get_json`` never returns half-understood input, whatever it is asked to be silent about."""

    def get_json(self, force: bool = False, silent: bool = False, cache: bool = True) -> dict[str, object]:
        """The body's JSON object.

        Raises:
            InvalidRequestError: the body is empty, not UTF-8, not JSON, or no object.
        """
        raw = self.get_data()
        if not raw:
            raise InvalidRequestError("body", "is empty; expected a JSON object")
        return parse_object(raw)


def parse_object(raw: bytes) -> dict[str, object]:
    """A JSON object from its UTF-8 bytes.

    Raises:
        InvalidRequestError: it is something else.
    """
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidRequestError("body", f"is not UTF-8 (byte {error.start}: 0x{raw[error.start]:02x})") from error
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise InvalidRequestError(
            "body", f"is not JSON (line {error.lineno}, column {error.colno}: {error.msg})"
        ) from error
    except RecursionError as error:
        raise InvalidRequestError("body", "is nested too deeply") from error
    except ValueError as error:
        raise InvalidRequestError("body", f"is not JSON ({error})") from error
    if not isinstance(value, dict):
        raise InvalidRequestError("body", f"is a JSON {type(value).__name__}; expected an object")
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")
