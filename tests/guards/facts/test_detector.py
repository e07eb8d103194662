"""A sentence with an unsupported claim is hit as a whole, and trusted texts are read only when they are needed."""

from __future__ import annotations

from collections.abc import Iterable

from guards.facts.detector import FactDetector
from guards.views.normal import normalised

INSTEAD = "A colleague will confirm that."


def test_the_whole_sentence_is_hit_once_per_claim() -> None:
    detector = FactDetector(lambda: ["The fee is $5."], INSTEAD)
    sentence = "The fee is $6, and it takes 3 days, not ＄5. "
    report = detector.scan(normalised(sentence, 100))
    assert [hit.rule for hit in report.hits] == ["facts.amount", "facts.duration"]
    assert {(hit.start, hit.end, hit.replacement) for hit in report.hits} == {(100, 100 + len(sentence), INSTEAD)}


def test_a_sentence_that_keeps_to_the_texts_passes() -> None:
    detector = FactDetector(lambda: ["The fee is $5."], INSTEAD)
    assert not detector.scan(normalised("You pay 5 dollars.")).hits
    assert not detector.scan(normalised("You're welcome!")).hits
    assert not detector.scan(normalised("")).hits


def test_the_trusted_texts_are_asked_for_once_and_only_if_something_is_claimed() -> None:
    asked = 0

    def trusted() -> Iterable[str]:
        nonlocal asked
        asked += 1
        return ["$5"]

    detector = FactDetector(trusted, INSTEAD)
    detector.scan(normalised("You're welcome!"))
    assert asked == 0
    detector.scan(normalised("It is $5."))
    detector.scan(normalised("It is $6."))
    assert asked == 1
