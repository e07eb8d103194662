"""The real assistant on the demonstration bundle."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.assistant.desk import Desk
from runtime.assistant.opening import OpeningOptions, open_desk
from runtime.engine.settings import LocalOptions
from tests.paths import DEMO


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    profile = Path(tmp_path_factory.mktemp("shop")) / "shop.toml"
    profile.write_text('name = "Corner Shop"\nphone = "+1 202 555 0100"\nhours = "9 to 6"\n', encoding="utf-8")
    desk = open_desk(OpeningOptions(DEMO, profile=profile, engine=LocalOptions(threads=1)))
    yield desk
    desk.close()
