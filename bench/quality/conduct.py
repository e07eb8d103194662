"""Whether the box does what it should: understands, invents nothing, answers what it can, hands over what it cannot.

intent      share of questions whose intent was recognised.
grounding   share of answers that the model wrote in which every amount, date, time, number, address and link occurs in
            what the customer, the system prompt or the given sources say. The fact guard reads them (guards/facts), so
            for a box on which that guard runs, this finds only what went around it; ``replaced`` says how often the
            guard had to take a sentence out, which is what the bare model would have invented.
abstention  share of unanswerable questions on which the box calls a person or refuses, and of answerable ones on which
            it does neither. Answering everything makes the first 0 and the second 1; both must be high.

Intervals are Wilson's (1927, "Probable Inference"), which stay within 0 and 1 and hold for few questions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from scipy import stats  # type: ignore[import-untyped]

from bench.metrics import CONFIDENCE, Estimate
from bench.quality.asking import Answer
from guards.evaluation.facts import is_caught


@dataclass(frozen=True, slots=True)
class Conduct:
    """Shares, 0 to 1; None where no question asks for it.

    Attributes:
        intent: recognised, of the questions whose intent is named.
        grounded: without an invented fact, of the answers that the model wrote.
        replaced: of those, with a sentence that the fact guard took out.
        abstained: handed over or refused, of the unanswerable questions.
        answered: neither, of the answerable ones.
        wrong_intents: up to ten questions whose intent was missed, with what they were taken for.
        invented: up to ten answers that are not grounded.
        unduly_answered: up to ten unanswerable questions that were answered.
    """

    intent: Estimate | None
    grounded: Estimate | None
    replaced: Estimate | None
    abstained: Estimate | None
    answered: Estimate | None
    wrong_intents: tuple[str, ...]
    invented: tuple[str, ...]
    unduly_answered: tuple[str, ...]


_EXAMPLES = 10


def judge_conduct(answers: Sequence[Answer], trusted: Iterable[str] = ()) -> Conduct:
    """Judge all answers.

    Args:
        answers: of the service.
        trusted: texts that every answer may take facts from: the system prompt, the shop's particulars.
    """
    given = tuple(trusted)
    named = [answer for answer in answers if answer.text.intent]
    written = [answer for answer in answers if answer.by_model]
    hopeless = [answer for answer in answers if not answer.text.answerable]
    hopeful = [answer for answer in answers if answer.text.answerable]

    def grounded(answer: Answer) -> bool:
        return not is_caught(answer.answer, (*given, answer.text.question, *answer.text.sources))

    return Conduct(
        intent=_share(named, _understood),
        grounded=_share(written, grounded),
        replaced=_share(written, lambda answer: answer.replaced),
        abstained=_share(hopeless, _abstains),
        answered=_share(hopeful, lambda answer: not _abstains(answer)),
        wrong_intents=tuple(
            f"{answer.text.question} [{answer.intent or 'none'}, not {answer.text.intent}]"
            for answer in named
            if not _understood(answer)
        )[:_EXAMPLES],
        invented=tuple(answer.answer for answer in written if not grounded(answer))[:_EXAMPLES],
        unduly_answered=tuple(answer.text.question for answer in hopeless if not _abstains(answer))[:_EXAMPLES],
    )


def share(hits: int, count: int) -> Estimate | None:
    """``hits / count`` with Wilson's interval; None of nothing.

    Raises:
        ValueError: more hits than cases.
    """
    if not count:
        return None
    found = stats.binomtest(hits, count).proportion_ci(CONFIDENCE, method="wilson")
    return Estimate(hits / count, float(found.low), float(found.high), count)


def _share(answers: Sequence[Answer], is_so: Callable[[Answer], bool]) -> Estimate | None:
    return share(sum(map(is_so, answers)), len(answers))


def _understood(answer: Answer) -> bool:
    return answer.intent == answer.text.intent


def _abstains(answer: Answer) -> bool:
    return answer.handoff or answer.blocked
