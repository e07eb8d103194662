"""Digits and signs that stand for letters, read as letters where they make a common word.

Known words decide, so that order numbers, prices and product names (iPhone15, B2B, 2nd, A4) stay what they are.
"""

from __future__ import annotations

import re

from guards.views.normal import View
from guards.views.rewriting import Edit, rewritten
from guards.views.words import vocabulary

#: What a sign is read as when no word decides.
_READ = str.maketrans("0123456789@$!|+€£¥¢", "oizeasgtbgasiltelyc")
_ACCENTED = "àáâãäåçèéêëìíîïñòóôõöùúûüýÿ"
#: Letters and signs that may stand for one another, made equal: a 1 is an i or an l.
_SHAPE = str.maketrans(
    "i01!|23456789@$+€£¥¢" + _ACCENTED,
    "lolllzeasgtbgastelyc" + "aaaaaaceeeellllnooooouuuuyy",
)
_SIGNS = r"0-9@$!|+€£¥¢"
#: Letters and signs, no longer than words are; not an amount of money, a percentage or a part of a number.
_SIGNED = rf"(?:[{_SIGNS.replace('!', '')}]|![a-z0-9@$])"
_LETTER = "a-zà-öø-ÿÀ-ÖØ-ß"
_TOKEN = re.compile(
    rf"(?<![\w@$!à-öø-ÿÀ-ÖØ-ß])(?<![0-9][.,])(?=[{_LETTER}]{{0,24}}{_SIGNED})(?![$€£¥][0-9]+(?![a-z0-9@$!|]))"
    rf"[{_LETTER}{_SIGNS}]{{1,24}}(?![\w@$%à-öø-ÿÀ-ÖØ-ß])(?![.,][0-9])",
    re.IGNORECASE | re.ASCII,
)
_MIXED = re.compile(rf"[a-z]{_SIGNED}|[{_SIGNS}][a-z]", re.IGNORECASE | re.ASCII)
#: A shorter word may be a model or a size (a55, s10); it is read only beside a longer one.
_STRONG = 4
#: From so many longer ones on, digits by themselves (70, 411) are read as words, and unknown tokens as they look.
_PLENTY = 2
_SIGN = re.compile(rf"[{_SIGNS}]")
#: "I" at the beginning of a sentence, and the end of "don't": read where the text has plenty of leetspeak.
_ALONE = re.compile(r"(?:(?<=\A)|(?<=[.?\n])|(?<=[.?] ))[1!|](?=\s[a-z])|(?<=n['’])7(?!\w)", re.IGNORECASE | re.ASCII)
#: By themselves these are numbers and marks, whatever stands around them.
_NUMBERS = frozenset("0123456789!|+€£¥¢$")


def shape(text: str) -> str:
    """The text in lower case without accents, every sign and the letters it may stand for made one.

    As long as the text, if that is in Latin-1; others may grow in lower case.
    """
    return text.lower().translate(_SHAPE)


#: Word per shape. Of words of one shape the last in alphabetical order is taken.
WORDS = {shape(word): word for word in sorted(vocabulary())}


def word_of(token: str) -> str | None:
    """The common word that a token of letters and signs spells; None if it spells none. Its letters are kept."""
    word = WORDS.get(shape(token))
    if word is None or any(a != b for a, b in zip(token.lower(), word, strict=True) if a.isalpha()):
        return None
    return word


def read(view: View) -> View:
    """The view with leetspeak read; the view itself if there is none.

    Nothing is read unless some token of at least four characters, two of them letters, spells a common word. Then
    shorter ones are read too; if there are several, also numbers that spell one, and unknown tokens as they look.
    """
    if not _MIXED.search(view.text):
        return view
    found = [(match, _spelt(match.group())) for match in _TOKEN.finditer(view.text)]
    strong = sum(word is not None and _is_strong(match.group(), word) for match, word in found)
    if not strong:
        return view
    edits = []
    for match, word in found:
        token = match.group()
        if not any(map(str.isalpha, token)) and (strong < _PLENTY or token in _NUMBERS):
            continue
        said = word or (_guess(token) if strong >= _PLENTY else "")
        if said:
            edits.append(Edit(match.start(), match.start() + len(said), said))
    if strong >= _PLENTY:
        edits += (Edit(m.start(), m.end(), "t" if m.group() == "7" else "i") for m in _ALONE.finditer(view.text))
        edits.sort(key=lambda edit: edit.start)
    return rewritten(view, edits)


def _spelt(token: str) -> str | None:
    """The word that the token, or all of it but the marks at its end, spells."""
    body = token.rstrip("!|+")
    if not _SIGN.search(body):
        return None
    return word_of(token) or word_of(body)


def _is_strong(token: str, word: str) -> bool:
    body = token[: len(word)]
    return len(word) >= _STRONG and sum(map(str.isalpha, body)) >= 2 and not body.rstrip("0123456789").isalpha()


def _guess(token: str) -> str:
    """An unknown token as its signs look; empty if it has no letter, or signs only at its end."""
    body = token.rstrip("!|+")
    if not any(map(str.isalpha, body)) or body.rstrip("0123456789").isalpha():
        return ""
    return body.lower().translate(_READ)
