"""The machine that the figures belong to."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import psutil

#: Flags that decide which kernels of llama.cpp and onnxruntime can be used, in the spelling of /proc/cpuinfo.
FLAGS = (
    *("avx", "f16c", "fma", "avx2", "avx_vnni", "avx512f", "avx512bw", "avx512_vnni", "avx512_bf16"),
    *("amx_tile", "amx_int8", "amx_bf16"),
    *("asimd", "asimdhp", "asimddp", "i8mm", "bf16", "sve", "sve2"),
)
LIBRARIES = ("llama-cpp-python", "onnxruntime", "tokenizers", "numpy", "flask", "waitress")

_CPUINFO = Path("/proc/cpuinfo")
_BOARD = Path("/proc/device-tree/model")
_GOVERNOR = Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")


@dataclass(frozen=True, slots=True)
class Machine:
    """What bench runs on.

    Attributes:
        cpu: the processor's name.
        board: the device-tree's name of the board (on ARM), else empty.
        architecture: as ``uname -m``.
        flags: those of ``FLAGS`` that the processor has.
        cores: physical cores; 0 if unknown.
        usable_cpus: logical processors that this process may use.
        governor: of the clock frequency; empty where there is none, as in most virtual machines.
        is_virtual: whether a hypervisor shows itself.
        ram_bytes: in all.
        swap_bytes: in all; above 0 a server may be slowed down by swapping.
        os: name and version.
        kernel: release.
        python: version.
        libraries: version by package name, of those installed beside bench.
        engine_build: what llama.cpp was built with and uses here, in its words; empty if it is not installed.
    """

    cpu: str
    board: str
    architecture: str
    flags: tuple[str, ...]
    cores: int
    usable_cpus: int
    governor: str
    is_virtual: bool
    ram_bytes: int
    swap_bytes: int
    os: str
    kernel: str
    python: str
    libraries: Mapping[str, str]
    engine_build: str = ""


def parse_cpuinfo(text: str) -> tuple[str, frozenset[str]]:
    """Name and flags of the first processor in the text of /proc/cpuinfo (x86 and ARM spell the fields differently)."""
    fields: dict[str, str] = {}
    for line in text.splitlines():
        name, colon, value = line.partition(":")
        if colon:
            fields.setdefault(name.strip().lower(), value.strip())
    name = fields.get("model name") or fields.get("hardware") or fields.get("cpu part") or "unknown"
    return name, frozenset((fields.get("flags") or fields.get("features") or "").split())


def describe_machine() -> Machine:
    """Look at this machine; takes milliseconds."""
    cpu, flags = parse_cpuinfo(_read(_CPUINFO))
    return Machine(
        cpu=cpu,
        board=_read(_BOARD),
        architecture=platform.machine(),
        flags=tuple(flag for flag in FLAGS if flag in flags),
        cores=psutil.cpu_count(logical=False) or 0,
        usable_cpus=len(os.sched_getaffinity(0)),
        governor=_read(_GOVERNOR),
        is_virtual="hypervisor" in flags,
        ram_bytes=psutil.virtual_memory().total,
        swap_bytes=psutil.swap_memory().total,
        os=_os_name(),
        kernel=platform.release(),
        python=platform.python_version(),
        libraries={name: version for name in LIBRARIES if (version := _version(name))},
        engine_build=_engine_build(),
    )


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip("\0\n ")
    except OSError:
        return ""


def _engine_build() -> str:
    """``llama_print_system_info`` of the installed library: the kernels it can use, such as AVX2 or REPACK."""
    try:
        import llama_cpp  # here: it loads the engine, which `compare` and `report` do not need
    except (ImportError, OSError, RuntimeError):
        return ""
    return " ".join(llama_cpp.llama_print_system_info().decode("utf-8", "replace").split())


def _os_name() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return platform.system()


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""
