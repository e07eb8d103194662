"""One measurement of quality: read the texts with the bundle's model, ask the service, judge what it said."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from bench.client import Client
from bench.errors import UsageError
from bench.process import serve_bundle
from bench.quality.asking import Answer, ask_all
from bench.quality.conduct import Conduct, judge_conduct
from bench.quality.likelihood import Likelihood, measure_likelihood
from bench.quality.overlap import Overlap, measure_overlap
from bench.quality.texts import QualityText
from bench.wire import Limits, parse_address
from models.bundle import MODEL
from models.errors import BundleError
from models.manifest import read_manifest

#: Called at the beginning of each stage with its name; gives what to call with the share that is done and a count.
Stage = Callable[[str], Callable[[float, int], None]]


@dataclass(frozen=True, slots=True)
class QualityOptions:
    """What to measure.

    Attributes:
        texts: the questions.
        bundle: whose model reads the reference answers; it is also served unless there is a ``url``. None: only ask.
        url: of a running service; empty serves the bundle.
        reference: GGUF whose predictions the model's are compared with; None for no comparison.
        trusted: texts that answers may take facts from, besides the question and the bundle's system prompt.
        limits: how long to wait for an answer.
        api_key: for the service.
    """

    texts: tuple[QualityText, ...]
    bundle: Path | None
    url: str = ""
    reference: Path | None = None
    trusted: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)
    api_key: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Quality:
    """All that was found.

    Attributes:
        target: the address that was asked.
        bundle: the bundle's name; empty if only a service was asked.
        likelihood: of the reference answers, by language; empty without a bundle.
        overlap: of the answers that the box ought to give itself with their references, by language.
        conduct: by language; the key ``all`` holds every question.
        answers: every reply.
    """

    target: str
    bundle: str
    likelihood: tuple[Likelihood, ...]
    overlap: tuple[Overlap, ...]
    conduct: dict[str, Conduct]
    answers: tuple[Answer, ...]


def measure_quality(options: QualityOptions, stage: Stage) -> Quality:
    """Measure.

    Raises:
        UsageError: no bundle and no URL, or a file cannot be used.
        ServerStartError: the bundle's server did not come up.
        TargetError: the service did not answer properly.
    """
    if options.bundle is None and (options.reference or not options.url):
        raise UsageError("no bundle is given; expected --bundle, whose model is read, or --url alone to ask a service")
    likelihood: tuple[Likelihood, ...] = ()
    name, trusted = "", options.trusted
    if options.bundle is not None:
        try:
            manifest = read_manifest(options.bundle)
        except BundleError as error:
            raise UsageError(str(error)) from error
        name, trusted = manifest.name, (*trusted, manifest.chat.system_prompt)
        written = [text for text in options.texts if text.answerable]  # what the model is to write; not hand-overs
        observe = stage("read the answers")
        likelihood = measure_likelihood(
            options.bundle / MODEL, manifest.chat, written, options.reference, lambda share: observe(share, 0)
        )
    target, answers = _ask(options, stage)
    languages = list(dict.fromkeys(answer.text.language for answer in answers))
    by_language = {one: [answer for answer in answers if answer.text.language == one] for one in languages}
    compared = {one: [answer for answer in part if answer.text.answerable] for one, part in by_language.items()}
    return Quality(
        target=target,
        bundle=name,
        likelihood=likelihood,
        overlap=tuple(
            measure_overlap(one, [answer.answer for answer in part], [answer.text.reference for answer in part])
            for one, part in compared.items()
            if part
        ),
        conduct={
            "all": judge_conduct(answers, trusted),
            **{one: judge_conduct(part, trusted) for one, part in by_language.items()},
        },
        answers=answers,
    )


def _ask(options: QualityOptions, stage: Stage) -> tuple[str, tuple[Answer, ...]]:
    with ExitStack() as stack:
        if options.url:
            address = parse_address(options.url)
        else:
            assert options.bundle is not None
            stage("start the server")
            address = stack.enter_context(serve_bundle(options.bundle)).address
        observe = stage("ask the questions")
        client = Client(address, options.limits, options.api_key)
        return str(address), ask_all(client, options.texts, lambda share: observe(share, 0))
