"""How tests run: caches in a folder of their own; hypothesis without deadlines, and in CI with the same examples."""

from __future__ import annotations

import os
import tempfile

from hypothesis import settings

# Servers that tests start keep their prefixes here, and not among the user's own.
os.environ["XDG_CACHE_HOME"] = tempfile.mkdtemp(prefix="tellerbox-tests-")

# A loaded machine is slow, not wrong; speed has tests of its own. New examples are for people to find things with: a
# landing must not depend on luck.
settings.register_profile("tellerbox", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("tellerbox")
