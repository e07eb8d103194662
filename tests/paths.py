"""Where the tests find things."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parent.parent
DEMO = ROOT / "models" / "demo"
DATA = Path(__file__).parent / "data"
