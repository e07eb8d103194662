"""Wheels for the box: our own built reproducibly, a wheelhouse checked, a real install without a network."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from convert.__main__ import main
from convert.errors import InputError
from convert.package.keys import KeyPair
from convert.package.wheels import Target, build_app, read_wheels, require_complete, requirements
from models.bundle import open_bundle
from tests.convert.package.wheelhouse import closure, repack
from tests.paths import DEMO, ROOT

NATIVE = Target()


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_app(ROOT, tmp_path_factory.mktemp("app"))


def test_the_applications_wheel_holds_what_serves_and_no_bundle(app: Path, tmp_path: Path) -> None:
    names = zipfile.ZipFile(app).namelist()
    assert {"runtime/__main__.py", "guards/__main__.py", "models/bundle.py"} <= set(names)
    assert any(name.startswith("runtime/service/") and name.endswith(".html") for name in names)
    assert not [name for name in names if name.startswith(("models/demo/", "tests/", "build/"))]
    assert build_app(ROOT, tmp_path).read_bytes() == app.read_bytes()


def test_a_wheelhouse_that_will_not_do_is_refused(app: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such folder"):
        read_wheels(tmp_path / "none", NATIVE)
    with pytest.raises(InputError, match="holds no wheel of tellerbox"):
        read_wheels(tmp_path, NATIVE)
    shutil.copy(app, tmp_path)
    found = read_wheels(tmp_path, NATIVE)
    assert requirements(found).startswith("tellerbox==0.1.0 --hash=sha256:")
    with pytest.raises(InputError, match=r"(?s)resolving.*No matching distribution found for flask.*convert wheels"):
        require_complete(found, NATIVE)
    for name, words in (
        ("notes.txt", "no wheel"),
        ("tellerbox-0.0.9-py3-none-any.whl", "expected one tellerbox"),
        ("numpy-1.0-cp38-cp38-linux_x86_64.whl", r"not for Python 3\.1"),
    ):
        (tmp_path / name).write_bytes(b"")
        with pytest.raises(InputError, match=words):
            read_wheels(tmp_path, NATIVE)
        (tmp_path / name).unlink()


def test_wheels_that_cannot_be_collected_are_explained(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["wheels", str(tmp_path / "wheels"), "--offline"]) == 2
    said = capsys.readouterr().err
    assert "No matching distribution found for flask" in said
    assert "--find-links FOLDER" in said
    foreign = ["--python", "3.11", "--platform", "manylinux_2_28_aarch64"]
    assert main(["wheels", str(tmp_path / "wheels"), "--offline", *foreign]) == 2
    assert "on a box with manylinux_2_28_aarch64" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_box_without_network_verifies_installs_and_answers(
    keys: KeyPair, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    here = tmp_path / "here"
    here.mkdir()
    for name in sorted(closure("tellerbox")):
        repack(name, here)
    wheels = str(tmp_path / "wheels")
    assert main(["wheels", wheels, "--offline", "--find-links", str(here)]) == 0, capsys.readouterr().err
    pack = ["archive", str(DEMO), "--key", str(keys.private), "--wheels", wheels, "--out"]
    assert main([*pack, str(tmp_path / "one.tar")]) == 0
    assert main([*pack, str(tmp_path / "two.tar")]) == 0
    assert (tmp_path / "one.tar").read_bytes() == (tmp_path / "two.tar").read_bytes()
    box = tmp_path / "box"
    assert main(["verify", str(tmp_path / "one.tar"), "--key", str(keys.public), "--to", str(box)]) == 0
    assert open_bundle(box / "bundle").manifest == open_bundle(DEMO).manifest
    offline = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "PYTHON"))},
        "PIP_INDEX_URL": "http://127.0.0.1:9/none",
        "PYTHON": sys.executable,
    }
    install = ["sh", str(box / "install.sh"), str(tmp_path / "opt")]
    done = subprocess.run(install, cwd="/", env=offline, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    current = tmp_path / "opt" / "current"
    code = "import runtime, numpy; print(runtime.__file__, numpy.__file__)"
    python = str(current / "venv" / "bin" / "python")
    found = subprocess.run([python, "-c", code], cwd="/", env=offline, capture_output=True, text=True, check=True)
    assert found.stdout.count(str(current / "venv")) == 2
    assert current.resolve().parent == tmp_path / "opt" / "releases"
    again = subprocess.run(install, cwd="/", env=offline, capture_output=True, text=True, check=True)
    assert "is installed" in again.stdout
    (box / "bundle" / "guard.onnx").write_bytes(b"")
    assert subprocess.run(install, cwd="/", env=offline, capture_output=True, check=False).returncode != 0
