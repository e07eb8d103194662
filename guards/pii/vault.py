"""One conversation's personal data: hidden behind typed placeholders on the way in, put back on the way out.

``[PHONE_1]`` stands for one number for as long as the conversation lasts. Only placeholders that this vault gave out
are put back; a placeholder that the model invents, or that belongs to another conversation, stays as it is.
"""

from __future__ import annotations

import re

from guards.pii.find import DEFAULT, Finding, PiiKind, PiiOptions, canonical, find_pii

#: A customer who types something of a placeholder's shape gets it hidden as well, so that it comes back unchanged.
_SHAPE = re.compile(r"\[(?:" + "|".join(PiiKind) + r"|TEXT)_[0-9]+\]")
_TEXT = "TEXT"


class Vault:
    """The values of one conversation. Not for use by two threads at once: a conversation has one turn at a time."""

    def __init__(self, options: PiiOptions = DEFAULT) -> None:
        self._options = options
        self._values: dict[str, str] = {}
        self._placeholders: dict[tuple[str, str], str] = {}
        self._counts: dict[str, int] = {}
        self._known: set[tuple[PiiKind, str]] = set()

    @property
    def known(self) -> frozenset[tuple[PiiKind, str]]:
        """What this conversation's customer has said: (kind, canonical value)."""
        return frozenset(self._known)

    def hide(self, text: str) -> str:
        """The text with placeholders for personal data. ``restore(hide(text)) == text``, for the customer's own words.

        The same spelling always gets the same placeholder; another spelling of the value gets one of its own, because
        what is restored must be what was written.
        """
        pieces: list[str] = []
        at = 0
        for start, end, kind in self._spans(text):
            value = text[start:end]
            if isinstance(kind, PiiKind):
                self._known.add((kind, canonical(kind, value)))
            pieces += [text[at:start], self._placeholder(str(kind), value)]
            at = end
        return "".join([*pieces, text[at:]])

    def restore(self, text: str) -> str:
        """The text with this vault's placeholders replaced by their values; what is put in is not looked at again."""
        return _SHAPE.sub(lambda match: self._values.get(match.group(), match.group()), text)

    def restorer(self) -> Restorer:
        """A restorer for one streamed answer."""
        return Restorer(self)

    def gave_out(self, name: str) -> bool:
        """Whether ``[PHONE_1]`` stands for something in this conversation."""
        return name in self._values

    def may_become_placeholder(self, text: str) -> bool:
        """Whether the text is the beginning, but not the whole, of a placeholder that this vault gave out."""
        return any(name.startswith(text) and name != text for name in self._values)

    def _spans(self, text: str) -> list[tuple[int, int, str]]:
        """Personal data and placeholder shapes in order, without overlaps."""
        shapes = [(m.start(), m.end(), _TEXT) for m in _SHAPE.finditer(text)]
        data: list[tuple[int, int, str]] = [
            (f.start, f.end, f.kind) for f in find_pii(text, self._options) if not _overlaps(f, shapes)
        ]
        return sorted(shapes + data)

    def _placeholder(self, kind: str, value: str) -> str:
        if (kind, value) not in self._placeholders:
            self._counts[kind] = self._counts.get(kind, 0) + 1
            name = f"[{kind}_{self._counts[kind]}]"
            self._placeholders[kind, value] = name
            self._values[name] = value
        return self._placeholders[kind, value]


class Restorer:
    """Restores an answer that comes in pieces; equal to ``vault.restore`` of the whole, however it is cut."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._held = ""

    def feed(self, piece: str) -> str:
        """The text that can be given out now: all but a possible beginning of a placeholder."""
        text = self._held + piece
        opening = text.rfind("[")
        if opening >= 0 and self._vault.may_become_placeholder(text[opening:]):
            self._held, text = text[opening:], text[:opening]
        else:
            self._held = ""
        return self._vault.restore(text)

    def finish(self) -> str:
        """What was held back."""
        held, self._held = self._held, ""
        return held


def _overlaps(finding: Finding, spans: list[tuple[int, int, str]]) -> bool:
    return any(finding.start < end and start < finding.end for start, end, _ in spans)
