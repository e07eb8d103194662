"""Who may import whom: the house's plan, held against every import statement in it."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

#: Package -> packages of ours that it may import besides itself.
ALLOWED = {
    "models": set[str](),
    "guards": {"models"},
    "convert": {"models"},
    "runtime": {"guards", "models"},
    "bench": {"guards", "models", "runtime"},
}

#: Floor of runtime -> floors that it may import besides itself.
FLOORS = {"engine": set[str](), "assistant": {"engine"}, "service": {"assistant", "engine"}}

#: What a box that only serves never needs.
BUILD_ONLY = {"torch", "transformers", "peft", "trl", "datasets", "gguf", "onnx", "sentencepiece", "safetensors"}


def imports(path: Path) -> Iterator[str]:
    """Full names of the modules that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def files(package: str) -> list[Path]:
    found = sorted((ROOT / package).rglob("*.py"))
    assert found, f"{package}/ holds no code"
    return found


@pytest.mark.parametrize("package", sorted(ALLOWED))
def test_packages_import_only_what_the_plan_allows(package: str) -> None:
    known = {*ALLOWED, "tests"}
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in files(package)
        for name in imports(path)
        if name.split(".")[0] in known - ALLOWED[package] - {package}
    ]
    assert not wrong


@pytest.mark.parametrize("floor", sorted(FLOORS))
def test_floors_of_the_runtime_are_ignorant_of_those_above(floor: str) -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in files(f"runtime/{floor}")
        for name in imports(path)
        if name.startswith("runtime.") and name.split(".")[1] in set(FLOORS) - FLOORS[floor] - {floor}
    ]
    assert not wrong


@pytest.mark.parametrize("package", ["models", "guards", "runtime", "bench"])
def test_nothing_that_serves_imports_build_tools(package: str) -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in files(package)
        for name in imports(path)
        if name.split(".")[0] in BUILD_ONLY - ({"gguf"} if package == "bench" else set())  # `bench shape` writes a GGUF
    ]
    assert not wrong


@pytest.mark.parametrize("package", ["guards"])
def test_guards_know_no_web_and_no_llama(package: str) -> None:
    wrong = [
        n for path in files(package) for n in imports(path) if n.split(".")[0] in {"flask", "llama_cpp", "waitress"}
    ]
    assert not wrong


def test_the_runtime_loads_without_torch() -> None:
    """What the source does not show: that no dependency of ours pulls torch in either."""
    code = "import runtime.__main__, runtime.assistant.opening, runtime.service.app, sys; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "False", done.stderr
