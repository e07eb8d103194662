"""JSON schemas as GBNF grammars, made by llama.cpp's own converter."""

from __future__ import annotations

import json
from collections.abc import Mapping

from llama_cpp.llama_grammar import JSON_GBNF, json_schema_to_gbnf

from runtime.errors import InvalidRequestError

ANY_JSON: str = JSON_GBNF
"""Any JSON value."""

FIELD = "response_format.json_schema.schema"
SCHEMA_BYTES_MAX = 16 * 1024
GRAMMAR_BYTES_MAX = 256 * 1024


def grammar_of_schema(schema: Mapping[str, object]) -> str:
    """The grammar of the texts that satisfy a schema.

    Raises:
        InvalidRequestError: it is too large, points outside itself, or uses what the converter does not know.
    """
    text = json.dumps(schema)
    if len(text) > SCHEMA_BYTES_MAX:
        raise InvalidRequestError(FIELD, f"is {len(text)} bytes long; expected at most {SCHEMA_BYTES_MAX}")
    try:
        grammar = str(json_schema_to_gbnf(text))
    except (AssertionError, AttributeError, IndexError, KeyError, RecursionError, TypeError, ValueError) as error:
        reason = str(error)[:200] or type(error).__name__
        raise InvalidRequestError(FIELD, f"cannot be enforced ({reason}); simplify it") from error
    if len(grammar) > GRAMMAR_BYTES_MAX:
        raise InvalidRequestError(
            FIELD, f"makes a grammar of {len(grammar)} bytes; expected at most {GRAMMAR_BYTES_MAX}"
        )
    return grammar
