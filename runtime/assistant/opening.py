"""From a bundle's folder to a desk that answers: everything is verified before the first customer comes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from guards.audit.log import AuditLog, AuditOptions
from guards.guard import Guard
from guards.policy import DEFAULT_POLICY, load_policy
from guards.reload import GuardSource
from models.bundle import MODEL, Bundle, open_bundle
from runtime.assistant.adapters import AdapterRoutes
from runtime.assistant.desk import Desk, DeskOptions, DeskParts
from runtime.assistant.flows import built_in_flows
from runtime.assistant.intents import bundle_intents
from runtime.assistant.profile import Profile, read_profile
from runtime.assistant.prompt import PromptBuilder
from runtime.engine.face import Engine
from runtime.engine.local import LocalEngine
from runtime.engine.remote.engine import RemoteEngine
from runtime.engine.remote.options import RemoteOptions
from runtime.engine.settings import LocalOptions
from runtime.errors import StartError


@dataclass(frozen=True, slots=True)
class OpeningOptions:
    """What an operator chooses.

    Attributes:
        bundle: the bundle's folder.
        policy: a policy file, followed while the desk is open; None takes the built-in one.
        profile: the shop's profile file; None leaves its particulars vague.
        allow_degraded: start although a guard is missing, and say so in ``/health``.
        engine: how our own engine runs; what the bundle says of the model is filled in.
        upstream: address of an OpenAI-compatible server that computes the answers; empty computes them here.
        upstream_key: sent to it as a bearer token; empty sends none.
        upstream_model: the model's name there; empty takes the first that it lists.
        audit: folder of the audit log; None keeps none.
        audit_key: the file of its key, made at first use; None takes ``audit.key`` beside the folder.
        audit_options: how the log is kept.
        adapter_shares: file that keeps the adapters' shares over a restart; None forgets them.
        desk: how the desk works.
    """

    bundle: Path
    policy: Path | None = None
    profile: Path | None = None
    allow_degraded: bool = False
    engine: LocalOptions = field(default_factory=LocalOptions)
    upstream: str = ""
    upstream_key: str = field(default="", repr=False)
    upstream_model: str = ""
    audit: Path | None = None
    audit_key: Path | None = None
    audit_options: AuditOptions = field(default_factory=AuditOptions)
    adapter_shares: Path | None = None
    desk: DeskOptions = field(default_factory=DeskOptions)


def open_desk(options: OpeningOptions) -> Desk:
    """Verify the bundle, load its guard and its model.

    Raises:
        BundleError, GuardFault, StartError: whatever stands in the way; the message names the file and the remedy.
    """
    bundle = open_bundle(options.bundle)
    profile = read_profile(options.profile) if options.profile else Profile()
    guards = _guards(bundle, options)
    intents = bundle_intents(bundle)
    engine = _engine(bundle, options)
    try:
        check_tokenizer(bundle, engine)
        prompts = PromptBuilder(engine, bundle.manifest.chat.template, bundle.manifest.chat.system_prompt)
        for adapter in ("", *engine.info.adapters):
            engine.prepare(prompts.beginning(), adapter)
        audit = _audit(options)
    except BaseException:
        engine.close()
        raise
    parts = DeskParts(
        model_name=bundle.manifest.name,
        demonstration=bundle.manifest.demonstration,
        engine=engine,
        guards=guards,
        prompts=prompts,
        intents=intents,
        flows=built_in_flows(),
        profile=profile,
        adapters=AdapterRoutes(engine.info.adapters, options.adapter_shares),
        audit=audit,
    )
    guards.watch()
    return Desk(parts, options.desk)


def _guards(bundle: Bundle, options: OpeningOptions) -> GuardSource:
    """The guards under the policy file, whose classifier is loaded once."""
    path = options.policy or DEFAULT_POLICY
    first = Guard.load(bundle, load_policy(path), allow_degraded=options.allow_degraded)
    return GuardSource(path, first.under)


def _audit(options: OpeningOptions) -> AuditLog | None:
    if options.audit is None:
        return None
    return AuditLog(options.audit, options.audit_key or options.audit.with_suffix(".key"), options.audit_options)


def _engine(bundle: Bundle, options: OpeningOptions) -> Engine:
    """Our own engine on the bundle's model, or the upstream's behind the bundle's vocabulary."""
    context_tokens = bundle.manifest.context_tokens
    if not options.upstream:
        identity = bundle.manifest.files[MODEL].sha256
        chosen = replace(options.engine, context_tokens=context_tokens, identity=identity, adapters=bundle.adapters)
        return LocalEngine(bundle.model, chosen)
    remote = RemoteOptions(context_tokens, api_key=options.upstream_key, model=options.upstream_model)
    return RemoteEngine(options.upstream, remote, bundle.model)


def check_tokenizer(bundle: Bundle, engine: Engine) -> None:
    """Compare the engine's token ids with the manifest's golden vectors.

    Raises:
        StartError: they differ, so what the model would read is not what it was trained on.
    """
    for vector in bundle.manifest.tokenizer_vectors:
        found = engine.encode(vector.text)
        if found != vector.ids:
            raise StartError(
                f"{bundle.model}: encodes {vector.text!r} as {list(found)}; the manifest says {list(vector.ids)}; "
                "rebuild the bundle with `python -m convert run`"
            )
