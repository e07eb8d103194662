"""What an answer is judged against."""

from __future__ import annotations

from dataclasses import dataclass, replace

from guards.pii.vault import Vault


@dataclass(frozen=True, slots=True)
class OutputContext:
    """What an answer is judged against.

    Attributes:
        protected: texts that must not leak, such as the system prompt.
        trusted: the shop's own texts: what they say, addresses and numbers too, may be said.
        said: other texts whose amounts, dates and the like may be said, such as the conversation's; the personal data
            in them may not.
        vault: the conversation's; what its customer has said may be said back.
    """

    protected: tuple[str, ...] = ()
    trusted: tuple[str, ...] = ()
    said: tuple[str, ...] = ()
    vault: Vault | None = None

    def also(self, protected: tuple[str, ...] = (), said: tuple[str, ...] = ()) -> OutputContext:
        """The same context with more texts."""
        return replace(self, protected=(*self.protected, *protected), said=(*self.said, *said))


NO_CONTEXT = OutputContext()
