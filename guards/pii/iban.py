"""International bank account numbers: the country's length and the check digits of ISO 13616."""

from __future__ import annotations

import re

from guards.pii.kinds import Span

#: Characters per country, from the IBAN registry that SWIFT keeps under ISO 13616.
_LENGTHS = {
    **dict.fromkeys(("NO",), 15),
    **dict.fromkeys(("BE",), 16),
    **dict.fromkeys(("DK", "FI", "FO", "GL", "NL", "SD", "FK"), 18),
    **dict.fromkeys(("MK", "SI"), 19),
    **dict.fromkeys(("AT", "BA", "EE", "KZ", "LT", "LU", "MN", "XK"), 20),
    **dict.fromkeys(("CH", "CR", "HR", "LI", "LV"), 21),
    **dict.fromkeys(("BG", "BH", "DE", "GB", "GE", "IE", "ME", "RS", "VA"), 22),
    **dict.fromkeys(("AE", "GI", "IL", "IQ", "OM", "SO", "TL"), 23),
    **dict.fromkeys(("AD", "CZ", "ES", "MD", "PK", "RO", "SA", "SE", "SK", "TN", "VG"), 24),
    **dict.fromkeys(("LY", "PT", "ST"), 25),
    **dict.fromkeys(("IS", "TR"), 26),
    **dict.fromkeys(("BI", "DJ", "FR", "GR", "IT", "MC", "MR", "SM"), 27),
    **dict.fromkeys(("AL", "AZ", "BY", "CY", "DO", "GT", "HN", "HU", "LB", "NI", "PL", "SV"), 28),
    **dict.fromkeys(("BR", "EG", "PS", "QA", "UA"), 29),
    **dict.fromkeys(("JO", "KW", "MU", "YE"), 30),
    **dict.fromkeys(("MT", "SC"), 31),
    **dict.fromkeys(("LC",), 32),
    **dict.fromkeys(("RU",), 33),
}
#: The check digits. Letters before them are looked at afterwards: so the search skips from digit to digit.
_CHECK_DIGITS = re.compile(r"\d[ -]?\d(?=(?:[ -]?[A-Za-z0-9]){11})", re.ASCII)
_COUNTRY = re.compile(r"(?:(?<![A-Za-z0-9])|(?<=IBAN))[A-Za-z]{2}[ -]?\Z")


def ibans(text: str) -> list[Span]:
    """Account numbers, unbroken or in groups."""
    spans: list[Span] = []
    for digits in _CHECK_DIGITS.finditer(text):
        country = _COUNTRY.search(text, max(0, digits.start() - 3), digits.start())
        length = _LENGTHS.get(country.group()[:2].upper()) if country else None
        if country and length and (not spans or country.start() >= spans[-1][1]):
            end = _end(text, country.start(), length)
            if end is not None and _checks(text[country.start() : end]):
                spans.append((country.start(), end))
    return spans


def _end(text: str, start: int, length: int) -> int | None:
    """Where the number's last character ends; None if the text does not hold one of this length there."""
    count = 0
    at = start
    for at in range(start, min(len(text), start + 2 * length)):
        char = text[at]
        if char.isascii() and char.isalnum():
            count += 1
            if count == length:
                break
        elif char not in " -" or text[at - 1] in " -":
            return None
    follows = text[at + 1 : at + 2]
    return at + 1 if count == length and not (follows.isascii() and follows.isalnum()) else None


def _checks(number: str) -> bool:
    """ISO 7064 MOD 97-10: the first four characters behind the others, letters as 10 to 35, leave 1."""
    plain = "".join(char for char in number if char.isalnum())
    return int("".join(str(int(char, 36)) for char in plain[4:] + plain[:4])) % 97 == 1
