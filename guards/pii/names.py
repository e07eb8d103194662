"""Names of persons, as far as rules reach: what stands behind words that announce a name, and behind a title.

Found: "my name is John Smith", "I am Mr. Smith", "Name: Ana de la Cruz", "this is Jane Doe speaking", the line below
"Kind regards"; Chinese names behind 我叫, 姓名, 收件人 (``names_zh``). Not found: a name that nothing announces
("Megan lives in Rome"), a second mention of a name, names in small letters except behind "my name is" and "name:".
"My name is not on the order" holds none.
"""

from __future__ import annotations

import re

from guards.pii.kinds import BLANK, Span, disjoint
from guards.pii.names_zh import names_zh
from guards.pii.streets import words

#: How many words a name takes.
MAX_WORDS = 5

_LETTER = r"[^\W\d_\u2e80-\uffff]"
_TOKEN = re.compile(rf"({_LETTER}(?:{_LETTER}|['’-](?={_LETTER})){{0,29}})(\.?)")
_SPACE = re.compile(r"[ \t]{1,3}")
#: Behind these a name may also be written in small letters. The patterns begin with plain letters and the border before
#: them is looked at afterwards: only so does the search skip from candidate to candidate.
_ANNOUNCED = re.compile(
    r"(?:(?:name|Name|NAME)(?:(?:'s|’s|s)?\s(?:is|was|IS)\s{1,2}|(?:'s|’s)\s{1,2}|\s{0,2}[:=]\s{0,6})"
    r"|(?:recipient|Recipient|addressee|Addressee|consignee|Consignee|card ?holder|Card ?holder|account holder"
    r"|Account holder|beneficiary|Beneficiary|attn|Attn|ATTN)\s{0,2}[:=]\s{0,6})"
)
#: Without one of these in small letters there is nothing to announce.
_ANNOUNCING = (
    "name",
    "recipient",
    "addressee",
    "consignee",
    "holder",
    "beneficiary",
    "attn",
    "called",
    "call me",
    "calls me",
)
_NOT_MINE = re.compile(
    r"\b(?:user|company|brand|shop|store|product|item|file|domain|street|host|bank|pet|website|site|app)\s?$", re.I
)
_CALLED = re.compile(
    r"(?:(?:under|in) the name(?: of)?:?\s{1,2}|(?:they|They|people|People|everyone|friends) calls? me\s"
    r"|account holder is\s|I am called\s)"
)
_TITLE = re.compile(r"(?:Mr|Mrs|Ms|Mx|Miss|Mister|Dr|Prof|Mme|Herr|Frau|MR|MRS|mr|mrs)\.?[ \t]{1,2}")
_SELF = re.compile(r"(?:I['’]m|I am|This is|this is)\s{1,2}")
_REGARDS = re.compile(
    r"(?:regards|Regards|incerely|aithfully|est wishes|ll the best|ours truly|heers)[,.!]?[ \t]{0,3}\n\s{0,4}"
)
_PARTICLES = words("de da di do dos das del della la le van von der den ten ter zu zur bin ibn al el y e af av")
#: Words that are no name, wherever they stand.
_STOP = words(
    """
    not i'm
    on in at to for from with and or but if is was are am be been being i you he she it we they my your his her our
    their the a an this that there here what who whom which how why when where wrong incorrect correct right misspelled
    misspelt spelled spelt missing listed different same still also just only already never ever now then so very too
    really sorry unable trying looking having getting going asking calling writing waiting wondering happy sure afraid
    glad new old good bad showing shown displayed changed written printed please thanks thank hello hi hey dear as of by
    about up out off no yes none unknown n/a na tbd empty blank required optional under over because since until after
    before than can could will would should may might must do does did done has have had need needs want wants team
    support service customer client member prime premium gold silver account order invoice email phone number address
    name date street road everything something nothing one two urgent asap back me us them him pending interested
    curious aware confused supposed allowed able ready unhappy upset angry furious disappointed tired actually currently
    regarding concerning available private confidential mine yours
    mr mrs ms miss mister dr prof sir madam
    """
)
_AFTER_SMALL = words("and i i'm my from but here with please at calling speaking can could how what where")
_SMALL_WORDS = 3
_LINE_END = re.compile(r"[ \t]{0,3}(?:\n|\Z)")
_AFTER_SELF = re.compile(
    r"\s{0,2}(?:[,.!;:\n]|\Z|\((?!s)|(?:and|from|here|speaking|calling|writing|again|with|at|who|, )\b)"
)


def names(text: str) -> list[Span]:
    """Names of persons, English and Chinese; without their titles."""
    spans = names_zh(text)
    lower = text.lower()
    if any(word in lower for word in _ANNOUNCING):
        announced = (m for m in _ANNOUNCED.finditer(text) if _begins_word(m) and not _is_thing(m))
        spans += [span for m in announced if (span := _name(text, m.end(), small=True))]
        spans += _after(_CALLED, text)
    spans += _after(_TITLE, text)
    if "\n" in text:
        signed = (m for m in _REGARDS.finditer(text))
        found = [span for m in signed if (span := _name(text, m.end(), small=False))]
        spans += [span for span in found if _LINE_END.match(text, span[1])]
    for start, end in _after(_SELF, text) if any(word in text for word in ("I'm", "I’m", "I am", "his is")) else ():
        if " " in text[start:end] and _AFTER_SELF.match(text, end):
            spans.append((start, end))
    return disjoint(spans)


def _after(pattern: re.Pattern[str], text: str) -> list[Span]:
    matches = (match for match in pattern.finditer(text) if _begins_word(match))
    return [span for match in matches if (span := _name(text, match.end(), small=False))]


def _begins_word(match: re.Match[str]) -> bool:
    before = match.string[match.start() - 1] if match.start() else " "
    return not (before.isascii() and (before.isalnum() or before == "_"))


def _is_thing(match: re.Match[str]) -> bool:
    """Whether the name is that of a thing: "user name", "company name"."""
    return _NOT_MINE.search(match.string, max(0, match.start() - 12), match.start()) is not None


def _name(text: str, at: int, *, small: bool) -> Span | None:
    """The name that begins at ``at``; None if there is none.

    Args:
        text: a normalised text.
        at: where the first word would begin.
        small: whether a name in small letters counts, too: up to three words and then a border.
    """
    first = _TOKEN.match(text, at)
    if first is None or first.group(1).lower() in _STOP:
        return None
    shouted = first.group(1).isupper() and text[:at].isupper()
    if not shouted and (span := _capital_name(text, at)) is not None:
        return span
    return _small_name(text, at) if small else None


def _capital_name(text: str, at: int) -> Span | None:
    """Words in capitals, initials, and particles between them."""
    start, end = at, None
    for _ in range(MAX_WORDS):
        token = _TOKEN.match(text, at)
        if token is None:
            break
        word, dot = token.groups()
        if word[0].isupper() and word.lower() not in _STOP:
            initial = bool(dot) and len(word) <= 2
            end = at = token.end() if initial else token.end(1)
            if dot and not initial:
                break
        elif word in _PARTICLES and not dot:
            at = token.end()
        else:
            break
        space = _SPACE.match(text, at)
        if space is None:
            break
        at = space.end()
    return (start, end) if end is not None and (end - start > 1) else None


def _small_name(text: str, at: int) -> Span | None:
    """Up to three words in small letters that are no ordinary ones, and then the end of the clause."""
    start, end = at, at
    for count in range(_SMALL_WORDS + 1):
        token = _TOKEN.match(text, at)
        word = token.group(1).lower() if token else ""
        if token is None or word in _AFTER_SMALL:
            return (start, end) if count and _is_border(text, at, word) else None
        if count == _SMALL_WORDS or word in _STOP or len(word) < 2 or _is_participle(word):
            return None
        end = token.end(1)
        space = _SPACE.match(text, end)
        if space is None:
            return (start, end) if _is_border(text, end, "") else None
        at = space.end()
    return None


def _is_border(text: str, at: int, word: str) -> bool:
    return bool(word) or at >= len(text) or text[at] in ",.!?;:)\n\r\"'，。" or text[at] == BLANK


def _is_participle(word: str) -> bool:
    return (word.endswith("ing") and len(word) > 5) or (word.endswith("ed") and len(word) > 5)
