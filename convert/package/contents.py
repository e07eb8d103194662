"""What an archive holds: licence texts, wheels, the bundle, what they are, and how to install them on the box."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from convert.errors import InputError
from convert.package.wheels import APP, Target, requirements
from models.bundle import Bundle
from models.manifest import MANIFEST

#: Texts that are carried as they are, with their placeholders filled in.
INSTALL, README = "install.sh", "README.txt"

PACKAGE = "package.json"

FORMAT = 1


def contents(bundle: Bundle, wheels: Mapping[str, Path], target: Target, licences: Path) -> dict[str, Path | bytes]:
    """Files by their name in the archive.

    Args:
        bundle: a verified bundle.
        wheels: package -> wheel (``convert.package.wheels.read_wheels``).
        target: the box.
        licences: the folder of LICENSE and NOTICE.

    Raises:
        InputError: a file is missing.
    """
    name = bundle.manifest.name
    about = {
        "format": FORMAT,
        "bundle": name,
        "app": wheels[APP].name,
        "python": target.python,
        "platform": target.platform,
        "demonstration": bundle.manifest.demonstration,
    }
    here = Path(__file__).parent
    files: dict[str, Path | bytes] = {
        PACKAGE: (json.dumps(about, indent=1, sort_keys=True) + "\n").encode(),
        "requirements.txt": requirements(wheels).encode(),
        INSTALL: _filled(here / INSTALL, name, target),
        README: _filled(here / README, name, target),
        "LICENSE": licences / "LICENSE",
        "NOTICE": licences / "NOTICE",
    }
    files |= {f"wheels/{path.name}": path for path in wheels.values()}
    files |= {f"bundle/{file}": bundle.folder / file for file in (MANIFEST, *bundle.manifest.files)}
    return files


def _filled(path: Path, name: str, target: Target) -> bytes:
    if not path.is_file():
        raise InputError(f"{path}: no such file; install the application again")
    text = path.read_text(encoding="utf-8")
    return text.replace("@BUNDLE@", name).replace("@PYTHON@", target.python).encode()
