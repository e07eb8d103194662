"""Why an archive is refused.

ConvertError
└── ArchiveError    it is not, byte for byte, what was signed (exit code 2)
"""

from __future__ import annotations

from convert.errors import ConvertError


class ArchiveError(ConvertError):
    """The archive is not what was signed."""

    exit_code = 2

    def __init__(self, archive: object, problem: str) -> None:
        super().__init__(f"{archive}: {problem}; do not use it; copy it again from where it was made")
