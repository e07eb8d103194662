"""The wheels for a box: collected with pip in a child process, and found complete before anything is packed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from packaging.tags import compatible_tags, cpython_tags
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename

from convert.errors import InputError
from convert.files import atomic_folder
from models.bundle import sha256_of
from models.manifest import MANIFEST

APP = "tellerbox"

#: What the application is built from.
_SOURCES = ("setup.cfg", "pyproject.toml", "README.md", "LICENSE", "NOTICE")
_PACKAGES = ("bench", "convert", "guards", "models", "runtime")

#: llama.cpp compiled for any x86-64 processor with AVX2 (or any ARMv8 one), and not for the one that compiles it: a
#: box with an older processor would die of an illegal instruction.
PORTABLE = "-DGGML_NATIVE=OFF"

#: Modification time of everything in a wheel that is built here: 1980-01-01, so that the same source gives the same.
_EPOCH_S = "315532800"


@dataclass(frozen=True, slots=True)
class Target:
    """The box: its Python as ``3.11`` and pip's name of its platform; empty for a box like this machine."""

    python: str = f"{sys.version_info.major}.{sys.version_info.minor}"
    platform: str = ""

    @property
    def native(self) -> bool:
        """Whether wheels may be compiled here."""
        return not self.platform

    def pip_options(self) -> list[str]:
        """How pip is told of a foreign target; such wheels cannot be compiled here."""
        if self.native:
            return []
        return ["--only-binary", ":all:", "--python-version", self.python, "--platform", self.platform]


def build_app(source: Path, out: Path) -> Path:
    """Build the application's own wheel into the folder ``out``; the same source gives the same bytes.

    Raises:
        InputError: ``source`` is no checkout of the project, or pip failed.
    """
    for name in (*_SOURCES, *_PACKAGES):
        if not (source / name).exists():
            raise InputError(f"{source / name}: no such file; expected a checkout of the project; pass one with --app")
    with tempfile.TemporaryDirectory() as scratch:
        copy = Path(scratch, "app")  # a build leaves files behind, and takes in what earlier ones left
        copy.mkdir()
        for name in _SOURCES:
            shutil.copyfile(source / name, copy / name)
        for name in _PACKAGES:
            shutil.copytree(source / name, copy / name, ignore=_left_out)
        wheels = Path(scratch, "wheels")
        _pip(
            ["wheel", "--no-deps", "--no-index", "--no-build-isolation", "--wheel-dir", str(wheels), str(copy)],
            "building the application's wheel",
            "install setuptools 77 or newer",
        )
        (built,) = wheels.glob("*.whl")
        out.mkdir(parents=True, exist_ok=True)
        return Path(shutil.copyfile(built, out / built.name))


def _left_out(folder: str, names: list[str]) -> set[str]:
    """Bundles and what Python compiled."""
    return {name for name in names if name == "__pycache__" or Path(folder, name, MANIFEST).is_file()}


def collect(source: Path, out: Path, target: Target, links: Sequence[Path] = (), offline: bool = False) -> Path:
    """Fill the folder ``out`` (replaced as a whole) with the application's wheel and all that it needs to serve.

    Args:
        source: a checkout of the project.
        out: the wheelhouse.
        target: the box.
        links: folders of wheels to take from first, such as llama-cpp-python compiled on the box.
        offline: take from ``links`` alone.

    Raises:
        InputError: pip failed; has what it said.
    """
    options = [*target.pip_options(), *(["--no-index"] if offline else [])]
    for folder in links:
        options += ["--find-links", str(folder.resolve())]
    with atomic_folder(out) as folder:
        app = build_app(source, folder)
        if target.native:
            command = ["wheel", "--no-cache-dir", "--wheel-dir", str(folder), *options, str(app)]
            remedy = "give it a network and a C++ compiler, or the wheels with --find-links FOLDER"
        else:
            command = ["download", "--dest", str(folder), *options, str(app)]
            remedy = (
                f"for a box of another kind than this machine only finished wheels will do: compile those that are not "
                f"published (llama-cpp-python) on a box with {target.platform} by `convert wheels`, and pass their "
                "folder with --find-links"
            )
        _pip(command, "collecting the wheels", remedy, {"CMAKE_ARGS": PORTABLE})
    return out


def read_wheels(folder: Path, target: Target) -> dict[str, Path]:
    """A wheelhouse: canonical name of the package -> its wheel.

    Raises:
        InputError: it is missing, holds no application, something else than wheels, a package twice or a wheel that
            the target's Python does not install.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder; expected wheels; fill one with `convert wheels {folder}`")
    version = tuple(int(part) for part in target.python.split("."))
    every = (*cpython_tags(version, platforms=["any"]), *compatible_tags(version, platforms=["any"]))
    fits = {(tag.interpreter, tag.abi) for tag in every}  # an old interpreter's own ABI does not fit, its abi3 does
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        try:
            name, _, _, tags = parse_wheel_filename(path.name)
        except InvalidWheelFilename as error:
            raise InputError(f"{path}: no wheel ({error}); leave only wheels in the folder") from error
        if name in found:
            raise InputError(f"{folder}: holds {found[name].name} and {path.name}; expected one {name}; delete one")
        if not any((tag.interpreter, tag.abi) in fits for tag in tags):
            raise InputError(
                f"{path}: not for Python {target.python}; fill the folder anew with `convert wheels --python`"
            )
        found[str(name)] = path
    if canonicalize_name(APP) not in found:
        raise InputError(f"{folder}: holds no wheel of {APP}; fill it with `convert wheels {folder}`")
    return found


def requirements(wheels: Mapping[str, Path]) -> str:
    """``requirements.txt`` of exactly these wheels, each with its sha256, for ``pip install --require-hashes``."""
    lines = []
    for name, path in sorted(wheels.items()):
        _, version, _, _ = parse_wheel_filename(path.name)
        lines.append(f"{name}=={version} --hash=sha256:{sha256_of(path)}\n")
    return "".join(lines)


def require_complete(wheels: Mapping[str, Path], target: Target) -> None:
    """Have pip resolve the application from these wheels alone, as the box will; nothing is installed.

    Raises:
        InputError: one is missing or does not fit; has what pip said.
    """
    folder = next(iter(wheels.values())).parent.resolve()
    with tempfile.TemporaryDirectory() as scratch:
        listed = Path(scratch, "requirements.txt")
        listed.write_text(requirements(wheels), encoding="utf-8")
        _pip(
            [
                *("install", "--dry-run", "--ignore-installed", "--no-index", "--require-hashes", "--quiet"),
                *("--find-links", str(folder), "--target", str(Path(scratch, "box")), *target.pip_options()),
                *("--requirement", str(listed)),
            ],
            "resolving the application from the wheels alone",
            f"fill the folder anew with `convert wheels {folder}`",
        )


def _pip(arguments: Sequence[str], doing: str, remedy: str, more: Mapping[str, str] | None = None) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", *arguments]
    environment = {**os.environ, "SOURCE_DATE_EPOCH": _EPOCH_S, **(more or {})}
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", env=environment, check=False)
    if done.returncode != 0:
        said = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        errors = [line for line in said if line.lstrip().startswith("ERROR")] or said
        raise InputError(f"{doing} failed; pip said:\n" + "\n".join(errors[-6:]) + f"\n{remedy}")
