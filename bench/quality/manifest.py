"""What the conversion stage found out about a bundle, as tables: the figures stand in the bundle's own manifest."""

from __future__ import annotations

from collections.abc import Mapping

from bench.cells import Row, Table
from models.manifest import Manifest


def quality_tables(manifest: Manifest) -> tuple[Table, ...]:
    """Tables of fidelity, of the adapter's effect and of the guard, as far as the manifest has the figures."""
    checks = manifest.checks
    tables = [_fidelity(checks), _adapter(checks), _guard(manifest.guard.calibration, manifest.guard.thresholds)]
    return tuple(table for table in tables if table.rows)


def _fidelity(checks: Mapping[str, object]) -> Table:
    names = {"f16_against_transformers": "F16 GGUF against transformers", "quantized_against_f16": "Q4_K_M against F16"}
    rows = []
    for key, title in names.items():
        found = _mapping(checks.get(key))
        if found:
            rows.append(
                (
                    title,
                    f"{_number(found, 'positions'):.0f}",
                    f"{_number(found, 'top1_agreement'):.2%}",
                    f"{_number(found, 'mean_kld'):.2g}",
                    f"{_number(found, 'reference_perplexity'):.3f}",
                    f"{_number(found, 'perplexity'):.3f}",
                )
            )
    parity = _mapping(checks.get("token_parity"))
    differing = parity.get("differing", [])
    wrong = len(differing) if isinstance(differing, list) else 0
    note = f"Token ids of llama.cpp and transformers: {wrong} of {_number(parity, 'texts'):.0f} texts differ."
    head = ("compared", "positions", "same top-1", "mean KLD, nats", "perplexity before", "after")
    return Table("Conversion", head, tuple(rows), note if parity else "")


def _adapter(checks: Mapping[str, object]) -> Table:
    rows: list[Row] = []
    signature = ""
    for name, value in _mapping(checks.get("held_out")).items():
        found = _mapping(value)
        signature = str(found.get("bleu_signature", ""))
        rows.append(
            (
                name,
                f"{_number(found, 'loss'):.3f}",
                f"{_number(found, 'bleu'):.1f}",
                f"{_number(found, 'rouge_l'):.3f}",
                f"{_number(found, 'pairs'):.0f} / {_number(found, 'samples'):.0f}",
            )
        )
    head = ("model", "held-out loss, nats a token", "BLEU-4", "ROUGE-L", "pairs / answers generated")
    note = f"Requests for refunds and cancellations, split from the training texts by template. sacrebleu: {signature}"
    return Table("Adapter", head, tuple(rows), note)


def _guard(calibration: Mapping[str, object], thresholds: Mapping[str, float]) -> Table:
    rows: list[Row] = []
    for label, value in _mapping(calibration.get("test")).items():
        for source, part in _mapping(value).items():
            found = _mapping(part)
            if found:
                rows.append(
                    (
                        label,
                        source,
                        f"{_number(found, 'positives'):.0f} / {_number(found, 'negatives'):.0f}",
                        _share(found, "auc", "{:.3f}"),
                        _share(found, "recall", "{:.1%}"),
                        _share(found, "false_alarms", "{:.1%}"),
                    )
                )
    limits = ", ".join(f"{label} {value:.2f}" for label, value in thresholds.items())
    head = ("label", "held-out texts", "positive / negative", "AUC", "recall", "false alarms")
    return Table("Guard, int8", head, tuple(rows), f"Thresholds: {limits}.")


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _number(found: Mapping[str, object], name: str) -> float:
    value = found.get(name)
    return float(value) if isinstance(value, int | float) else float("nan")


def _share(found: Mapping[str, object], name: str, form: str) -> str:
    return form.format(_number(found, name)) if name in found else "–"
