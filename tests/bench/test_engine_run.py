"""The whole way on real servers: ours against ours, where nothing is promised but that every figure is there."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest

from bench.__main__ import main
from bench.chat import ChatRequest
from bench.client import Client
from bench.engine.figures import DEFAULT, OURS, QUICK, Scenario
from bench.engine.outcome import rows
from bench.engine.result import EngineResult, read_engine_result
from bench.engine.run import shifted
from bench.engine.sides import FLAGS, LlamaServer, Ours, Setting, Side
from bench.engine.texts import Chats, load_texts
from bench.errors import ServerStartError
from bench.process import RunningServer, serve_command
from bench.shape import Shape, write_shape
from bench.wire import Limits
from tests.paths import DEMO

#: Large enough that its tokens do not come all at once.
TINY = Shape(layers=4, width=256, hidden=768, heads=4, kv_heads=2, vocabulary=4608)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "tiny.gguf"
    write_shape(TINY, DEMO / "model.gguf", path)
    return path


@pytest.fixture(scope="module")
def peer(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    kept = tmp_path_factory.mktemp("kept")
    command = [sys.executable, "-m", "bench.bare", "--model", str(model), "--kept", str(kept), "--threads", "1"]
    with serve_command(command) as server:
        yield server


@pytest.fixture(scope="module")
def measured(model: Path, peer: RunningServer, tmp_path_factory: pytest.TempPathFactory) -> tuple[int, EngineResult]:
    out = tmp_path_factory.mktemp("results") / "new" / "x.json"
    given = ["--model", str(model), "--peer", str(peer.address), "--peer-pid", str(peer.pid), "--out", str(out)]
    code = main(["engine", "--quick", "--rounds", "1", "--threads", "1", *given])
    return code, read_engine_result(out)


def test_every_figure_of_both_sides_is_there(measured: tuple[int, EngineResult]) -> None:
    code, result = measured
    assert [turn.faults for turn in result.turns] == [{}, {}]
    assert [turn.side for turn in result.turns] == [OURS, DEFAULT]
    found = rows(result)
    assert len(found) == 11
    assert all(row.ratio is not None and row.ratio.median > 0.0 for row in found)
    assert code == (0 if all(row.kept for row in found) else 1)
    assert result.scenarios == tuple(Scenario)


def test_both_sides_get_the_same_prompts_of_the_stated_sizes(measured: tuple[int, EngineResult]) -> None:
    ours, theirs = (turn.prompt_tokens for turn in measured[1].turns)
    assert set(ours) - set(theirs) == {Scenario.RESTART}
    tried_again = {Scenario.GAP, Scenario.RESTART}  # a number at the beginning differs
    assert all(theirs[scenario] == ours[scenario] for scenario in set(ours) - tried_again)
    assert 340 < ours[Scenario.NEW] < 400
    assert 340 < ours[Scenario.TOGETHER] < 400
    assert 850 < ours[Scenario.GAP] < 950
    assert 20 + QUICK.answer_tokens < ours[Scenario.RETURNING] - ours[Scenario.TOGETHER] < 60 + QUICK.answer_tokens


def test_a_returning_chat_is_computed_from_where_it_ended(peer: RunningServer, model: Path) -> None:
    """An answer that is sent back encodes to the very tokens that it was; so nothing of it has to be computed again."""
    client, chats = Client(peer.address, Limits()), Chats(load_texts(), "returning")
    first = chats.new("x", 0)
    answer = client.chat(ChatRequest(first, 40))
    again = client.chat(ChatRequest(chats.next(first, answer.text, "x", 0), 4))
    assert len(answer.text) == answer.timeline.tokens == 40
    assert len(answer.timeline.arrivals_ms) == 40
    assert again.prompt_tokens < answer.prompt_tokens + 40 + 40
    assert again.cached_tokens >= answer.prompt_tokens + 38


def test_chats_are_the_same_for_the_same_seed_only() -> None:
    texts = load_texts()
    assert Chats(texts, "1").new("x", 3) == Chats(texts, "1").new("x", 3)
    assert Chats(texts, "1").new("x", 3) != Chats(texts, "2").new("x", 3)
    news = [Chats(texts, "1").new("x", index) for index in range(16)]
    assert len({messages[0].content for messages in news}) == len(texts.passages) == 8
    assert len({messages[1].content for messages in news}) == 16
    assert "{" not in "".join(message.content for messages in news for message in messages)


def test_order_of_sides_is_shifted_from_round_to_round() -> None:
    setting = Setting(Path("x.gguf"), 2, 4608)
    sides: tuple[Side, ...] = (Ours(setting), *(LlamaServer(Path("s"), setting, name) for name in FLAGS))
    orders = [[side.name for side in shifted(sides, by)] for by in range(4)]
    assert orders[0] == orders[3] == [OURS, *FLAGS]
    assert [order[0] for order in orders[:3]] == [OURS, *FLAGS]


def test_flags_of_a_peer_that_is_started() -> None:
    setting = Setting(Path("/x.gguf"), 2, 4608)
    plain, tuned = (LlamaServer(Path("/s"), setting, name).command for name in FLAGS)
    assert plain == "s -m x.gguf --host 127.0.0.1 --port PORT -t 2 -tb 2"
    assert tuned == f"{plain} -np 9 -kvu -b 64 --cache-ram 512 --load-mode none -c 4608"


@pytest.mark.parametrize(("binary", "says"), [("/missing/llama-server", "cannot be run"), ("/bin/false", "ended")])
def test_a_peer_that_does_not_start_is_named(binary: str, says: str, tmp_path: Path) -> None:
    side = LlamaServer(Path(binary), Setting(Path("x.gguf"), 1, 512), DEFAULT)
    with pytest.raises(ServerStartError, match=says), side.start(tmp_path):
        pass


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ([], "--model is missing"),
        (["--quick", "--scenarios", "new,nothing"], "'nothing' is not known; expected some of decode,new"),
        (["--quick", "--peer", "http://127.0.0.1:1", "--peer-binary", "x"], "both given"),
        (["--quick", "--peer", "http://127.0.0.1:1", "--flags", "default,tuned"], "expected with --peer the one"),
        (["--quick", "--peer-pid", "5"], "--peer-pid is given without --peer"),
        (["--model", "/missing.gguf"], "/missing.gguf cannot be read"),
    ],
)
def test_bad_usage_is_refused_before_anything_runs(
    given: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["engine", *given]) == 2
    assert says in capsys.readouterr().err


def test_ours_alone_needs_no_peer(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = ["--model", str(model), "--quick", "--rounds", "1", "--threads", "1", "--scenarios", "new", "--json"]
    assert main(["engine", *given]) == 0
    raw = json.loads(capsys.readouterr().out)
    assert [side["name"] for side in raw["sides"]] == [OURS]
    assert raw["turns"][0]["figures"]["new_ttft_p50_ms"] > 0.0
    assert raw["summary"] == {"rows": []}


def test_shape_command_writes_the_model(tmp_path: Path, model: Path) -> None:
    out = tmp_path / "new" / "x.gguf"
    given = [text for name, size in asdict(TINY).items() for text in (f"--{name.replace('_', '-')}", str(size))]
    assert main(["shape", "--out", str(out), *given]) == 0
    assert out.read_bytes() == model.read_bytes()
