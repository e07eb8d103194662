"""Soak: leaks that real processes have are found, steady ones are not accused, and a broken run loses nothing."""

from __future__ import annotations

import json
import mmap
import os
import random
import signal
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from bench.errors import ResultFileError, UsageError
from bench.process import serve_command
from bench.soak.journal import SCHEMA, Head, Journal, Window, read_journal
from bench.soak.judge import Verdict, judge
from bench.soak.limits import Limits
from bench.soak.load import Deed, Mix
from bench.soak.run import SoakOptions, soak
from bench.soak.tables import soak_tables
from bench.soak.trend import trend
from bench.soak.watch import Held, held_by
from tests.paths import DEMO

HEAD = Head(SCHEMA, "2026-01-02T03:04:05+00:00", "http://127.0.0.1:1", "demo", 60.0, 1.0, 2, 0.1, 1, True)
MB = 1_000_000


def windows(memory_mb: Sequence[float], ttft_ms: Sequence[float] | None = None, **deeds: int) -> list[Window]:
    """A window a minute with this memory and this median wait."""
    waits = ttft_ms or [100.0] * len(memory_mb)
    counts = {deed.value: 0 for deed in Deed} | {"answered": 10} | deeds
    return [
        Window(60.0 * (n + 1), counts, wait, 2.0 * wait, Held(int(mb * MB), None, int(mb * MB), 20, 9, float(n)))
        for n, (mb, wait) in enumerate(zip(memory_mb, waits, strict=True))
    ]


def bad(verdict: Verdict) -> list[str]:
    return [finding.name for finding in verdict.findings if finding.is_bad]


def test_the_slope_is_that_of_the_line_whatever_two_outliers_say() -> None:
    values = [5.0 + 2.0 * hour for hour in range(20)]
    values[3], values[11] = 900.0, -900.0
    found = trend([3600.0 * hour for hour in range(20)], values)
    assert found is not None
    assert found.slope == pytest.approx(2.0)
    assert found.low <= 2.0 <= found.high
    assert found.p_value < 0.01


def test_values_that_are_all_alike_have_no_trend() -> None:
    found = trend(range(10), [7.0] * 10)
    assert found is not None
    assert (found.slope, found.growth, found.p_value) == (0.0, 0.0, 1.0)
    assert trend(range(3), [1.0, 2.0, 3.0]) is None


def test_steady_memory_with_noise_is_no_leak() -> None:
    rng = random.Random(3)
    verdict = judge(windows([200.0 + rng.gauss(0.0, 2.0) for _ in range(240)]), Limits())
    assert verdict.is_good, verdict.sentence


def test_a_slow_leak_under_noise_is_found_in_four_hours() -> None:
    rng = random.Random(3)
    verdict = judge(windows([200.0 + 20.0 * n / 60.0 + rng.gauss(0.0, 2.0) for n in range(240)]), Limits())
    assert bad(verdict) == ["memory, MB"]
    assert not verdict.is_good
    assert "memory, MB +2" in verdict.sentence


def test_a_cache_that_fills_and_stops_is_no_leak() -> None:
    verdict = judge(windows([200.0 + min(60.0, 0.6 * n) for n in range(240)]), Limits())
    assert not bad(verdict)


def test_customers_who_wait_longer_every_hour_are_noticed() -> None:
    rng = random.Random(5)
    drifting = [100.0 * (1.0 + 0.8 * n / 120.0) * rng.lognormvariate(0.0, 0.05) for n in range(120)]
    steady = [100.0 * rng.lognormvariate(0.0, 0.05) for _ in range(120)]
    assert bad(judge(windows([200.0] * 120, drifting), Limits())) == ["TTFT p50, ms"]
    assert not bad(judge(windows([200.0] * 120, steady), Limits()))


def test_failures_are_told() -> None:
    verdict = judge(windows([200.0] * 40, failed=1), Limits())
    assert not verdict.is_good
    assert "40 of 440 requests failed" in verdict.sentence


def test_too_short_a_time_says_nothing_good() -> None:
    assert not judge(windows([200.0] * 5), Limits()).is_good
    assert not judge([], Limits()).is_good


def test_a_journal_that_was_cut_off_is_read_to_its_last_whole_line(tmp_path: Path) -> None:
    path = tmp_path / "soak.jsonl"
    written = windows([200.0, 201.0])
    with Journal(path, HEAD) as journal:
        for window in written:
            journal.add(window)
            assert read_journal(path)[1][-1] == window  # on the disk at once
    path.write_bytes(path.read_bytes()[:-20])
    assert read_journal(path) == (HEAD, (written[0],))
    with pytest.raises(UsageError, match="exists already"):
        Journal(path, HEAD)


def test_what_is_no_journal_is_named(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    for text, said in (("", "is empty"), ("{}\n", "line 1"), ("nothing\n", "line 1")):
        path.write_text(text)
        with pytest.raises(ResultFileError, match=said):
            read_journal(path)
    with Journal(tmp_path / "y.jsonl", HEAD):
        pass
    lines = (tmp_path / "y.jsonl").read_text()
    path.write_text(f"{lines}broken\n{json.dumps({})}\n")
    with pytest.raises(ResultFileError, match="line 2"):
        read_journal(path)


def test_what_this_process_holds_is_seen() -> None:
    before = held_by(os.getpid())
    assert before is not None
    assert before.descriptors is not None
    files = [os.open(os.devnull, os.O_RDONLY) for _ in range(10)]
    # Mapped anew: what an allocator hands out may long be resident.
    memory = mmap.mmap(-1, 30 * MB, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    memory.write(b"x" * len(memory))
    after = held_by(os.getpid())
    for one in files:
        os.close(one)
    held_bytes = len(memory)
    memory.close()
    assert after is not None
    assert after.descriptors is not None
    assert after.descriptors >= before.descriptors + 10
    assert after.anonymous_bytes is not None
    assert before.anonymous_bytes is not None
    assert after.anonymous_bytes > before.anonymous_bytes + 0.9 * held_bytes
    assert after.rss_bytes > before.rss_bytes + 0.9 * held_bytes
    assert held_by(2**22 - 1) is None


@pytest.mark.parametrize(
    ("leak", "found"), [("none", []), ("memory", ["memory, MB"]), ("descriptors", ["file descriptors"])]
)
def test_what_a_real_server_leaks_is_found_and_nothing_else(tmp_path: Path, leak: str, found: list[str]) -> None:
    journal = tmp_path / "soak.jsonl"
    with serve_command([sys.executable, "-m", "tests.bench.leaky", leak], ready_s=60.0) as server:
        options = SoakOptions(3.0, journal, Mix(2, 0.02), url=str(server.address), pid=server.pid)
        seen, ended = soak(options, lambda share, requests: None)
    verdict = judge(seen, Limits(drift=50.0), ended)  # so short a run says nothing of drift
    assert bad(verdict) == found, verdict.sentence
    assert verdict.is_good is not bool(found)
    assert verdict.requests["answered"] > 0
    assert verdict.requests["cancelled"] > 0
    assert read_journal(journal)[1] == seen
    assert [table.title for table in soak_tables(verdict)] == ["Leaks and drift", "Requests"]


def test_a_server_that_dies_ends_the_soak_with_what_was_seen(tmp_path: Path) -> None:
    with serve_command([sys.executable, "-m", "tests.bench.leaky", "none"], ready_s=60.0) as server:
        killer = threading.Timer(0.7, os.kill, (server.pid, signal.SIGKILL))
        killer.start()
        began_s = time.perf_counter()
        options = SoakOptions(600.0, tmp_path / "j.jsonl", Mix(2, 0.02), url=str(server.address), pid=server.pid)
        seen, ended = soak(options, lambda share, requests: None)
    assert time.perf_counter() - began_s < 60.0
    assert ended == "the server's process ended"
    assert len(seen) == 1
    assert "process ended" in judge(seen, Limits(), ended).sentence


def test_a_process_that_is_not_there_is_named(tmp_path: Path) -> None:
    options = SoakOptions(1.0, tmp_path / "j.jsonl", url="http://127.0.0.1:9", pid=2**22 - 1)
    with pytest.raises(UsageError, match="no such process"):
        soak(options, lambda share, requests: None)


@pytest.mark.slow
@pytest.mark.skipif(not (DEMO / "manifest.json").is_file(), reason="the demo bundle is not built; run `make demo`")
def test_the_demo_server_leaks_nothing_in_a_minute(tmp_path: Path) -> None:
    options = SoakOptions(60.0, tmp_path / "j.jsonl", Mix(think_s=0.1, max_tokens=16), bundle=DEMO)
    seen, ended = soak(options, lambda share, requests: None)
    verdict = judge(seen, Limits(drift=50.0), ended)
    assert verdict.is_good, (verdict.sentence, verdict.findings)
    assert verdict.requests["blocked"] > 0
    assert verdict.requests["cancelled"] > 0
