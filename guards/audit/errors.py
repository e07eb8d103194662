"""What can be wrong with the audit log. Nobody has to stop serving for any of these but the key and the lock.

AuditError
├── AuditKeyError     the key file is missing, damaged, or readable by others
├── AuditBusyError    another process writes to the folder
├── AuditWriteError   a line, a file or the head could not be written; the log counts it and goes on
└── AuditReadError    the folder cannot be read, or holds no log
"""

from __future__ import annotations

from guards.errors import GuardFault


class AuditError(GuardFault):
    """Base of all audit errors."""


class AuditKeyError(AuditError):
    """There is no key that can be trusted."""


class AuditBusyError(AuditError):
    """Two writers would tear the chain in two."""


class AuditWriteError(AuditError):
    """Something is not on the disk that should be; ``AuditLog.problem`` keeps saying so until a line is written."""


class AuditReadError(AuditError):
    """There is nothing to verify."""
