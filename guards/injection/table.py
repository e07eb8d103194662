"""The table of injection rules; their names stand in verdicts and in the policy's list of rules switched off."""

from __future__ import annotations

import re

from guards.injection.en import ENGLISH
from guards.injection.european import EUROPEAN
from guards.injection.rule import Rule, rule
from guards.injection.zh import CHINESE

#: The marks that chat templates put between turns: ChatML, Zephyr, Llama 2 and 3, Gemma, Mistral. No white space inside
#: and at most ROLE_TOKEN_MAX_CHARS long: the output guard holds a stream back for as long as one may be open.
ROLE_TOKEN = re.compile(
    r"<\|[a-z][a-z_]{1,26}\|>|</s>|<s>|\[/?inst\]|<</?sys>>|<(?:start|end)_of_turn>|\[/?(?:system"
    r"|available)_[a-z_]{1,16}\]"
)
ROLE_TOKEN_MAX_CHARS = 32

RULES: tuple[Rule, ...] = (
    rule("role_token", "any", ROLE_TOKEN.pattern, r"(?m:^)#{2,4}\s*(?:system|instructions?|assistant)\s*:"),
    *ENGLISH,
    *EUROPEAN,
    *CHINESE,
)

#: That text is there which nobody can see: whoever writes so hides it from people and means the model.
HIDDEN_TEXT = "hidden_text"

NAMES: frozenset[str] = frozenset({HIDDEN_TEXT, *(row.name for row in RULES)})
