"""The machine's description, and how quiet it is."""

from __future__ import annotations

import platform
from dataclasses import replace

from bench.machine import FLAGS, describe_machine, parse_cpuinfo
from bench.noise import Noise, probe
from tests.bench.samples import QUIET

X86 = """processor\t: 0
model name\t: Some Maker N100
flags\t\t: fpu sse2 avx avx2 fma avx_vnni hypervisor

processor\t: 1
model name\t: another
flags\t\t: fpu
"""
PI_5 = """processor\t: 0
BogoMIPS\t: 108.00
Features\t: fp asimd evtstrm crc32 atomics fphp asimdhp asimddp
CPU implementer\t: 0x41
CPU part\t: 0xd0b

Revision\t: c04170
Model\t\t: Raspberry Pi 5 Model B Rev 1.0
"""


def test_cpuinfo_of_x86_is_that_of_the_first_processor() -> None:
    name, flags = parse_cpuinfo(X86)
    assert name == "Some Maker N100"
    assert {"avx2", "avx_vnni"} <= flags


def test_cpuinfo_of_arm() -> None:
    name, flags = parse_cpuinfo(PI_5)
    assert name == "0xd0b"
    assert "asimddp" in flags


def test_cpuinfo_of_nothing() -> None:
    assert parse_cpuinfo("") == ("unknown", frozenset())


def test_this_machine() -> None:
    machine = describe_machine()
    assert machine.architecture == platform.machine()
    assert set(machine.flags) <= set(FLAGS)
    assert machine.usable_cpus >= 1
    assert machine.ram_bytes > 1 << 28
    assert "numpy" in machine.libraries


def test_probe_of_this_machine() -> None:
    seen = probe()
    assert 0.0 < seen.work_p50_ms <= seen.work_p90_ms
    assert 0.0 <= seen.busy_share <= 1.0
    assert seen.cpu_total_s > seen.cpu_steal_s >= 0.0


def test_a_quiet_machine_gives_no_complaint() -> None:
    assert Noise(QUIET, replace(QUIET, cpu_total_s=200.0)).complaints == ()
    assert Noise(QUIET, QUIET).steal_share == 0.0


def test_each_disturbance_is_named() -> None:
    loud = Noise(
        replace(QUIET, busy_share=0.5),
        replace(QUIET, work_p50_ms=0.4, work_p90_ms=0.6, cpu_total_s=200.0, cpu_steal_s=6.0),
    )
    assert loud.complaints == (
        "other work took 50% of the processors",
        "the hypervisor took 5.0% of the time for others",
        "a fixed piece of work took 1.50 times its median at p90",
        "the same work took +33% time after the run",
    )
