"""What can be wrong with the guards themselves; a text that is refused is a verdict, never an error.

GuardFault
├── PolicyError             the policy file is malformed: names the key
├── GuardUnavailableError   a guard that the policy asks for is missing, damaged or of another shape
└── InputFileError          a line of an input file is malformed: names the line
"""

from __future__ import annotations


class GuardFault(Exception):
    """Base of all guard errors."""


class PolicyError(GuardFault):
    """The policy is not one that this version can apply.

    Attributes:
        key: the key at fault, as a dotted path; ``file`` if it is the whole file.
    """

    def __init__(self, file: str, key: str, problem: str) -> None:
        super().__init__(f"{file}: {key}: {problem}")
        self.key = key


class GuardUnavailableError(GuardFault):
    """A guard cannot work, so texts would pass unguarded.

    Attributes:
        remedy: what the operator can do about it.
    """

    def __init__(self, guard: str, problem: str, remedy: str) -> None:
        super().__init__(f"guard {guard}: {problem}; {remedy}")
        self.remedy = remedy


class InputFileError(GuardFault):
    """A line of an input file is not what was expected.

    Attributes:
        line: its number, from 1.
    """

    def __init__(self, file: str, line: int, problem: str) -> None:
        super().__init__(f"{file}, line {line}: {problem}")
        self.line = line
