"""What a verification found, for people and for machines."""

from __future__ import annotations

from dataclasses import asdict, dataclass

_SHOWN = 50


@dataclass(frozen=True, slots=True)
class AuditFinding:
    """One place at which the log is not as it was written.

    Attributes:
        file: the file's name; ``head`` for the head file.
        line: the line's number in it, from 1; 0 if it is the file itself.
        problem: what is wrong there.
    """

    file: str
    line: int
    problem: str

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}: {self.problem}" if self.line else f"{self.file}: {self.problem}"


@dataclass(frozen=True, slots=True)
class AuditReport:
    """A whole log, verified.

    Attributes:
        files: files read.
        lines: lines read.
        turns: genuine lines of turns.
        missed: turns that could not be written at their time, as later lines say.
        first_seq: number of the first genuine line; 0 if there is none.
        last_seq: number of the last one.
        last_mac: its mac: with ``last_seq`` the anchor to note elsewhere.
        dropped_files: older files that were deleted to keep the size, as the log itself says.
        findings: what was changed, forged, taken away or put in another order.
        notices: what a crash left, declared as such.
    """

    files: int
    lines: int
    turns: int
    missed: int
    first_seq: int
    last_seq: int
    last_mac: str
    dropped_files: int
    findings: tuple[AuditFinding, ...]
    notices: tuple[AuditFinding, ...]

    @property
    def good(self) -> bool:
        """Whether nothing was tampered with."""
        return not self.findings

    def to_dict(self) -> dict[str, object]:
        """For JSON."""
        return {"good": self.good, **asdict(self)}

    def report(self) -> str:
        """For people."""
        lines = [
            f"lines      {self.lines} in {self.files} files, number {self.first_seq} to {self.last_seq}",
            f"turns      {self.turns}",
            f"deleted    {self.dropped_files} older files, to keep the size",
            f"missed     {self.missed} turns that could not be written",
            f"anchor     {self.last_seq}:{self.last_mac}",
        ]
        lines += [f"notice     {notice}" for notice in self.notices[:_SHOWN]]
        lines += [f"FINDING    {finding}" for finding in self.findings[:_SHOWN]]
        if len(self.findings) > _SHOWN:
            lines.append(f"           and {len(self.findings) - _SHOWN} more")
        lines.append("whole      nothing is changed or missing" if self.good else "NOT WHOLE  see the findings")
        return "\n".join(lines)
