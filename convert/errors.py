"""What can go wrong while converting.

ConvertError
├── InputError        a file, folder or option is missing or malformed (exit code 2)
├── UnsupportedError  the model is one that this converter does not know (exit code 2)
├── QuantizeError     the quantising child failed or was cancelled (exit code 1)
└── CheckError        the result fell short of its stated tolerance (exit code 1)

Every message names the value, what was expected and the remedy.
"""


class ConvertError(Exception):
    """Base of all conversion errors."""

    exit_code = 1


class InputError(ConvertError):
    """A file, folder or option is missing or malformed."""

    exit_code = 2


class UnsupportedError(ConvertError):
    """The model's architecture, tokenizer or adapter is not one that this converter knows."""

    exit_code = 2


class QuantizeError(ConvertError):
    """The quantising child process failed or was cancelled."""


class CheckError(ConvertError):
    """The converted model differs from its source by more than the stated tolerance."""
