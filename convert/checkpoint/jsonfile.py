"""JSON objects of a model folder."""

from __future__ import annotations

import json
from pathlib import Path

from convert.errors import InputError

#: The remedy for a file that is missing or damaged.
COPY_AGAIN = "copy or download the folder again"


def read_json(path: Path) -> dict[str, object]:
    """Read a JSON object from a file of the model folder.

    Raises:
        InputError: the file is missing or not a JSON object.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file; expected a Hugging Face model or adapter folder; {COPY_AGAIN}")
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not JSON ({error}); {COPY_AGAIN}") from error
    if not isinstance(value, dict):
        raise InputError(f"{path}: a {type(value).__name__}; expected a JSON object; {COPY_AGAIN}")
    return value
