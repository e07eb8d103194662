"""The questions that quality is measured with: what is asked, a good answer, and whether the box ought to answer."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass as checked

from bench.errors import UsageError

#: Texts written for this project, English and Chinese.
FOLDER = Path(__file__).parent.parent / "texts"

_EXPECTED = (
    'expected a JSON object a line: {"language": "en" or "zh", "question", "reference", "intent", "answerable": '
    'true or false, "sources": [texts] (may be missing)}'
)


@checked(frozen=True, slots=True, config=ConfigDict(extra="forbid", strict=True))
class QualityText:
    """One question.

    Attributes:
        language: ``en`` or ``zh``.
        question: what the customer asks.
        reference: a good answer; where ``answerable`` is false, one that hands over.
        intent: what the customer wants, as the bundle's classifier names it; empty if that is not judged.
        answerable: whether the box ought to answer by itself. False for what it cannot know, for what is not its
            business, and for a customer who asks for a person.
        sources: texts whose facts an answer may state, such as passages of the shop's knowledge.
    """

    language: str
    question: str
    reference: str
    intent: str
    answerable: bool
    sources: list[str] | tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Document:
    """A conversation as the model reads it: token ids, of which those from ``first`` on are the answer's."""

    ids: tuple[int, ...]
    first: int


_ROW = TypeAdapter(QualityText)


def read_texts(path: Path | None = None) -> tuple[QualityText, ...]:
    """The texts of a JSON Lines file, or those of this project.

    Raises:
        UsageError: the file cannot be read, holds no text, or a line is not such an object; the line is named.
    """
    paths = [path] if path else sorted(FOLDER.glob("*.jsonl"))
    found = tuple(text for one in paths for text in _read(one))
    if not found:
        raise UsageError(f"{path or FOLDER}: holds no text; {_EXPECTED}")
    return found


def _read(path: Path) -> tuple[QualityText, ...]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read ({error}); {_EXPECTED}") from error
    return tuple(_row(line, f"{path}, line {number}") for number, line in enumerate(lines, start=1) if line.strip())


def _row(line: str, where: str) -> QualityText:
    try:
        row = _ROW.validate_json(line)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "the whole"
        raise UsageError(f"{where}: {field}: {first['msg']}; {_EXPECTED}") from error
    if not row.question.strip() or not row.reference.strip():
        raise UsageError(f"{where}: question or reference is empty; {_EXPECTED}")
    if row.language not in ("en", "zh"):
        raise UsageError(f"{where}: language is {row.language!r}; {_EXPECTED}")
    return row
