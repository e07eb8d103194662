"""How much memory the guards take by themselves: a process that holds nothing else, and its highest resident size."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from guards.guard import Guard
from guards.policy import load_policy
from models.bundle import open_bundle

_ROOT = Path(__file__).resolve().parents[2]
_TIMEOUT_S = 120.0
_ROUNDS = 5
_CHILD = (
    "import sys; from pathlib import Path; from guards.evaluation.speed_memory import peak_of_this_process; "
    "print(peak_of_this_process(Path(sys.argv[1]), Path(sys.argv[2])))"
)
_LINE = "Please tell me where order 123456789 is, call 212-555-0123. 请帮我查一下，电话１３８００１３８０００。 "


def peak_rss_bytes(bundle: Path, policy: Path) -> int:
    """The highest resident size of a fresh process that loads the guards and judges texts of all lengths, both ways.

    Raises:
        RuntimeError: the process failed; the message holds the end of its error output.
    """
    done = subprocess.run(
        [sys.executable, "-c", _CHILD, str(bundle.resolve()), str(policy.resolve())],
        cwd=_ROOT,
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_S,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"the guards' process ended with code {done.returncode}: {done.stderr[-2000:].strip()}")
    return int(done.stdout)


def peak_of_this_process(bundle: Path, policy: Path) -> int:
    """Load the guards, use them, and say what this process has taken at most, in bytes.

    From VmHWM and not from getrusage: that one's maximum is inherited from the process that started this one.
    """
    guard = Guard.load(open_bundle(bundle), load_policy(policy))
    longest = guard.policy.size.max_input_chars
    for chars in (10, 100, 400, 1000, longest):
        text = (_LINE * (chars // len(_LINE) + 1))[:chars]
        for _ in range(_ROUNDS):
            guard.check_input(text)
            guard.check_output(text)
    for line in Path("/proc/self/status").read_text("ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("/proc/self/status has no VmHWM; expected Linux")
