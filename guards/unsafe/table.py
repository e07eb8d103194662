"""All rows of the tables of unsafe requests, and the rules' names that a policy may switch off."""

from __future__ import annotations

from guards.unsafe.data import OTHERS_DATA, SECRETS
from guards.unsafe.deceit import FRAUD, LAUNDERING
from guards.unsafe.distress import DISTRESS
from guards.unsafe.goods import COUNTERFEIT, DRUGS, WEAPONS
from guards.unsafe.hacking import HACKING
from guards.unsafe.people import ABUSE, VIOLENCE
from guards.unsafe.rule import Row

UNSAFE: tuple[Row, ...] = (
    *WEAPONS,
    *DRUGS,
    *FRAUD,
    *COUNTERFEIT,
    *HACKING,
    *LAUNDERING,
    *VIOLENCE,
    *ABUSE,
    *OTHERS_DATA,
    *SECRETS,
)
SELF_HARM: tuple[Row, ...] = DISTRESS

UNSAFE_NAMES: frozenset[str] = frozenset(row.name for row in UNSAFE)
