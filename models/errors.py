"""What can be wrong with a bundle.

BundleError
├── BundleNotFoundError   no such folder, or no manifest in it
├── ManifestError         the manifest is not what this version reads
└── IntegrityError        a file is missing, changed or unlicensed

Each carries the file it is about and the remedy, so a start that is refused says both.
"""

from __future__ import annotations


class BundleError(Exception):
    """Base of all bundle errors.

    Attributes:
        file: the file or folder that is at fault.
        remedy: what the operator can do about it.
    """

    def __init__(self, file: str, problem: str, remedy: str) -> None:
        super().__init__(f"{file}: {problem}; {remedy}")
        self.file = file
        self.remedy = remedy


class BundleNotFoundError(BundleError):
    """There is no bundle at that place."""


class ManifestError(BundleError):
    """The manifest is malformed or of another format version."""


class IntegrityError(BundleError):
    """A file of the bundle is missing, changed or without a licence."""
