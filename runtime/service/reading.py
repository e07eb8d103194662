"""Reading an answer to its end for a caller who did not ask for a stream."""

from __future__ import annotations

from runtime.assistant.turn import TurnResult
from runtime.service.answer import Answer, Cut
from runtime.service.problems import Problem, Refusal, not_ready


def read_whole(answer: Answer) -> TurnResult:
    """The result of a whole answer.

    Raises:
        Refusal: it was cut short; half an answer without a word about it would be worse than none.
    """
    try:
        for _ in answer:
            pass
        match answer.cut:
            case None:
                return answer.result
            case Cut.TIMEOUT:
                message = "the answer took too long and was given up; ask for fewer tokens or try again"
                raise Refusal(Problem(504, "timeout", message, retry_after_s=5.0))
            case Cut.CLIENT_GONE:
                raise Refusal(Problem(499, "client_gone", "the client hung up"))
            case Cut.SHUTTING_DOWN:
                raise Refusal(not_ready("the service is stopping"))
    finally:
        answer.close()
