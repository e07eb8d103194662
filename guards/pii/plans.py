"""Numbering plans: whether digits are somebody's telephone number in a region, by the metadata of phonenumbers.

The library's own search takes 0.1 to 0.2 ms a try; this asks the same of its tables in a few microseconds: the number
is of a kind that persons have, and written with the trunk prefix where the region writes it so.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from phonenumbers import NumberFormat, PhoneMetadata

#: Kinds of numbers that belong to persons or households; hotlines and premium services do not.
_PERSONAL = ("fixed_line", "mobile", "pager", "personal_number", "voip")


@dataclass(frozen=True, slots=True)
class _Plan:
    """One region's.

    Attributes:
        lengths: digits without the trunk prefix.
        numbers: of these kinds, without it.
        prefix: the trunk prefix, if there is one.
        rewritten: what the prefix becomes where it is more than a prefix.
        formats: per way of writing: how such numbers begin, which they are, and whether the prefix belongs to it.
    """

    lengths: frozenset[int]
    numbers: re.Pattern[str]
    prefix: re.Pattern[str] | None
    rewritten: str | None
    formats: tuple[tuple[re.Pattern[str], re.Pattern[str], bool], ...]


def is_national(digits: str, region: str) -> bool:
    """Whether the digits, with the trunk prefix where it is usual, are in the plan of a region (ISO 3166 code)."""
    plan = _plan(region)
    if plan is None:
        return False
    bare = _without_prefix(digits, plan)
    if bare is not None and _has(plan, bare):
        return True
    return _has(plan, digits) and not _needs_prefix(digits, plan)


def _has(plan: _Plan, digits: str) -> bool:
    return len(digits) in plan.lengths and plan.numbers.fullmatch(digits) is not None


def _without_prefix(digits: str, plan: _Plan) -> str | None:
    match = plan.prefix.match(digits) if plan.prefix else None
    if match is None or not match.end():
        return None
    kept = match.expand(plan.rewritten) if plan.rewritten and match.lastindex else ""
    return kept + digits[match.end() :]


def _needs_prefix(digits: str, plan: _Plan) -> bool:
    """Whether the first way of writing that fits the number writes it with the prefix."""
    for begins, form, needs in plan.formats:
        if begins.match(digits) and form.fullmatch(digits):
            return needs
    return False


@lru_cache(maxsize=256)
def _plan(region: str) -> _Plan | None:
    metadata = PhoneMetadata.metadata_for_region(region)
    if metadata is None:
        return None
    of_persons = (getattr(metadata, name) for name in _PERSONAL)
    kinds = [kind for kind in of_persons if kind is not None and kind.national_number_pattern]
    general = metadata.general_desc.possible_length if metadata.general_desc else ()
    formats = tuple(_format(form) for form in metadata.number_format if form.pattern is not None)
    return _Plan(
        frozenset(length for kind in kinds for length in (kind.possible_length or general)),
        re.compile("|".join(f"(?:{kind.national_number_pattern})" for kind in kinds)),
        re.compile(metadata.national_prefix_for_parsing) if metadata.national_prefix_for_parsing else None,
        metadata.national_prefix_transform_rule,
        formats,
    )


def _format(form: NumberFormat) -> tuple[re.Pattern[str], re.Pattern[str], bool]:
    rule = form.national_prefix_formatting_rule
    needs = bool(rule) and re.fullmatch(r"\(?\\1\)?", rule or "") is None
    begins = form.leading_digits_pattern[-1] if form.leading_digits_pattern else ""
    return (
        re.compile(begins),
        re.compile(form.pattern or ""),
        needs and not form.national_prefix_optional_when_formatting,
    )
