"""The engine alone behind the real HTTP service: what is compared with other engines' servers."""

#: Prompt and answer of one chat together, at most, unless told otherwise.
CONTEXT_TOKENS = 2048
