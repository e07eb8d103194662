"""The licence file: under which terms base, adapter, guard and every training set may be passed on.

TOML or JSON with the keys ``training_sets`` (names) and ``licences`` (tables of ``covers``, ``name``, ``spdx``,
``source``; ``covers`` is ``base``, ``adapter``, ``guard``, ``embed`` or ``data``; an adapter to switch to is named by
the NAME of its ``adapter-NAME.gguf``).
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from convert.errors import InputError
from models.errors import ManifestError
from models.fields import Fields
from models.manifest import Licence, missing_licences

COVERS = ("base", "adapter", "guard", "embed", "data")


@dataclass(frozen=True, slots=True)
class Licences:
    """What a licence file says."""

    licences: tuple[Licence, ...]
    training_sets: tuple[str, ...]

    def require(self, path: Path, *, adapter: bool, files: Iterable[str] = ()) -> None:
        """Raise unless everything that goes into a bundle is covered.

        Args:
            path: the licence file, for the message.
            adapter: whether one is merged in.
            files: names of the bundle's further files.

        Raises:
            InputError: names what is not.
        """
        missing = missing_licences(self.licences, self.training_sets, adapter=adapter, files=files)
        if missing:
            raise InputError(f"{path}: names no licence for {', '.join(missing)}; add a table under `licences`")


def read_table(path: Path) -> Mapping[str, object]:
    """Read a TOML or JSON file of one table.

    Raises:
        InputError: it is missing, malformed or of another ending.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file; expected a .toml or .json file")
    try:
        text = path.read_text(encoding="utf-8")
        value = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except (UnicodeDecodeError, json.JSONDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(
            f"{path}: malformed ({error}); expected {'JSON' if path.suffix == '.json' else 'TOML'}"
        ) from error
    if not isinstance(value, Mapping):
        raise InputError(f"{path}: a {type(value).__name__}; expected a table")
    return value


def read_licences(path: Path) -> Licences:
    """Read a licence file.

    Raises:
        InputError: it is missing or malformed; names the field.
    """
    try:
        fields = Fields(read_table(path), str(path))
        licences = tuple(
            Licence(row.get("covers", str), row.get("name", str), row.get("spdx", str), row.get("source", str))
            for row in fields.children("licences")
        )
        sets = fields.items("training_sets", str)
    except ManifestError as error:
        raise InputError(str(error).rpartition(";")[0]) from error
    for licence in licences:
        if licence.covers not in COVERS:
            raise InputError(
                f"{path}: {licence.name}: covers is {licence.covers!r}; expected one of {', '.join(COVERS)}"
            )
    return Licences(licences, sets)
