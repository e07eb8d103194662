"""How hypothesis runs: without deadlines, and with CI the same examples every time."""

from __future__ import annotations

import os

from hypothesis import settings

# A loaded machine is slow, not wrong; speed has tests of its own. New examples are for people to find things with: a
# landing must not depend on luck.
settings.register_profile("tellerbox", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("tellerbox")
