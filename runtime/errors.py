"""What the runtime refuses, and why.

RuntimeFault
├── StartError            cannot start: the operator has to act (exit code 2)
├── InvalidRequestError   the request is wrong: names the field (HTTP 400)
├── PromptTooLongError    prompt and answer do not fit the context (HTTP 400)
├── QueueFullError        too many requests; says when to come back (HTTP 429)
├── EngineClosedError     starting or stopping (HTTP 503)
└── EngineError           the engine failed at this request (HTTP 500)
    └── EngineUnavailableError   another machine's engine does not answer; says when to come back (HTTP 503)
"""

from __future__ import annotations


class RuntimeFault(Exception):
    """Base of all runtime errors."""


class StartError(RuntimeFault):
    """The runtime cannot start."""


class InvalidRequestError(RuntimeFault):
    """A field of a request is wrong.

    Attributes:
        field: its name, as the caller spells it.
    """

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field


class PromptTooLongError(RuntimeFault):
    """Prompt and answer do not fit the context window."""

    def __init__(self, prompt_tokens: int, context_tokens: int) -> None:
        super().__init__(
            f"the conversation is {prompt_tokens} tokens long; expected fewer than {context_tokens} with room for an "
            "answer; shorten it or start a new one"
        )


class QueueFullError(RuntimeFault):
    """More requests are waiting than the queue takes.

    Attributes:
        retry_after_s: seconds after which there is likely room.
    """

    def __init__(self, waiting: int, retry_after_s: float) -> None:
        super().__init__(f"{waiting} requests are waiting already; try again in {retry_after_s:.0f} s")
        self.retry_after_s = retry_after_s


class EngineClosedError(RuntimeFault):
    """The engine is not taking requests."""


class EngineError(RuntimeFault):
    """The engine failed while it computed this answer."""


class EngineUnavailableError(EngineError):
    """An engine on another machine does not answer now.

    Attributes:
        retry_after_s: seconds after which it is worth trying again.
    """

    def __init__(self, problem: str, retry_after_s: float = 1.0) -> None:
        super().__init__(problem)
        self.retry_after_s = retry_after_s
