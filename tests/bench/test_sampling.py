"""The time line of a process, and what the machine's counters say, read from files as the kernel writes them."""

from __future__ import annotations

import os
import time
from pathlib import Path

from bench.sampling import Energy, Sampler, temperature_c, throttled


def put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_this_process_over_time() -> None:
    began_s = time.perf_counter()
    with Sampler(os.getpid(), began_s, period_s=0.02) as sampler:
        while not sampler.samples:
            time.sleep(0.005)
        kept = bytearray(64 << 20)
        kept[::4096] = b"x" * len(kept[::4096])
        until_s = time.perf_counter() + 0.2
        # A process that holds much takes the kernel long to count, so the samples are waited for.
        while time.perf_counter() < until_s or len(sampler.samples) < 3:
            assert time.perf_counter() < until_s + 30.0
    first, last = sampler.samples[0], sampler.samples[-1]
    assert len(sampler.samples) >= 3
    assert 0.0 < first.at_ms < last.at_ms < 1000.0 * (time.perf_counter() - began_s)
    assert max(sample.rss_bytes for sample in sampler.samples) > 64 << 20
    assert last.cpu_s > first.cpu_s
    assert last.minor_faults >= first.minor_faults + 10
    assert last.pss_bytes is None or last.pss_bytes <= 1.2 * last.rss_bytes


def test_a_process_that_is_gone_leaves_no_samples() -> None:
    with Sampler(2**22 + 1, time.perf_counter(), period_s=0.01) as sampler:
        pass
    assert sampler.samples == ()


def test_energy_adds_packages_and_survives_a_wrap(tmp_path: Path) -> None:
    for name, value in (("intel-rapl:0", 900), ("intel-rapl:1", 100), ("intel-rapl:0:0", 5)):
        put(tmp_path / name / "energy_uj", f"{value}000000\n")
        put(tmp_path / name / "max_energy_range_uj", "1000000000\n")
    energy = Energy(tmp_path)
    assert energy.joules() == 0.0
    put(tmp_path / "intel-rapl:0" / "energy_uj", "50000000\n")  # 100 J to the end, 50 J again
    put(tmp_path / "intel-rapl:1" / "energy_uj", "107000000\n")
    put(tmp_path / "intel-rapl:0:0" / "energy_uj", "999000000\n")
    assert energy.joules() == 157.0
    assert energy.joules() == 157.0
    assert Energy(tmp_path / "none").joules() is None


def test_temperature_and_throttling(tmp_path: Path) -> None:
    assert temperature_c(tmp_path) is None
    put(tmp_path / "thermal_zone0" / "temp", "41500\n")
    put(tmp_path / "thermal_zone1" / "temp", "63000\n")
    put(tmp_path / "thermal_zone2" / "temp", "unreadable\n")
    assert temperature_c(tmp_path) == 63.0
    pi = tmp_path / "get_throttled"
    assert throttled(tmp_path, pi) is None
    put(pi, "50005\n")
    assert throttled(tmp_path, pi) == 0x50005
    for cpu, count in (("cpu0", 3), ("cpu1", 4)):
        put(tmp_path / cpu / "thermal_throttle" / "core_throttle_count", f"{count}\n")
    assert throttled(tmp_path, pi) == 7
