"""A sentence encoder in PyTorch: token ids to one vector of length 1, pooling and normalisation inside."""

from __future__ import annotations

import torch
import transformers
from safetensors import SafetensorError
from safetensors.torch import load_file

from convert.checkpoint.folder import weight_files
from convert.embed.source import EncoderSource
from convert.errors import InputError

#: Keeps a division by nothing finite, as sentence-transformers does.
_TINY = 1e-9

_COPY_AGAIN = "copy or download the folder again"


class SentenceModel(torch.nn.Module):
    """Token ids, attention mask and segment ids (B, T) int64 -> vectors (B, D) float32 of length 1."""

    def __init__(self, encoder: torch.nn.Module, pooling: str) -> None:
        super().__init__()
        self.encoder, self.pooling = encoder, pooling

    def forward(
        self, input_ids: torch.Tensor, mask: torch.Tensor, segments: torch.Tensor | None = None
    ) -> torch.Tensor:
        """The mean over a sentence's tokens (mask 1), or the first token's vector; then its direction."""
        extra = {} if segments is None else {"token_type_ids": segments}
        hidden: torch.Tensor = self.encoder(input_ids=input_ids, attention_mask=mask, **extra).last_hidden_state
        if self.pooling == "cls":
            vector = hidden[:, 0]
        else:
            weight = mask.unsqueeze(-1).to(hidden.dtype)  # (B, T, 1)
            vector = (hidden * weight).sum(dim=1) / weight.sum(dim=1).clamp(min=_TINY)
        length: torch.Tensor = vector.norm(dim=1, keepdim=True)
        direction: torch.Tensor = vector / length.clamp(min=_TINY)
        return direction


def load_encoder(source: EncoderSource) -> SentenceModel:
    """The model with the folder's weights, in evaluation mode, eager attention, float32.

    Raises:
        InputError: a file is damaged, or a tensor is missing, unknown, of another shape or holds NaN.
    """
    config = transformers.AutoConfig.from_pretrained(source.folder, local_files_only=True)
    model = transformers.AutoModel.from_config(config, attn_implementation="eager").float()
    # the pooler is not what sentences are pooled with; position_ids were saved by earlier transformers
    state = {name: tensor for name, tensor in _weights(source).items() if not name.endswith("position_ids")}
    try:
        missing, unknown = model.load_state_dict(state, strict=False)
    except RuntimeError as error:  # a tensor of another shape
        raise InputError(f"{source.folder}: {str(error).splitlines()[-1].strip()}; {_COPY_AGAIN}") from error
    missing = [name for name in missing if not name.startswith("pooler.")]
    if missing or unknown:
        listed = ", ".join([*missing, *unknown][:3])
        raise InputError(
            f"{source.folder}: {len(missing)} tensors missing and {len(unknown)} unknown ({listed}); expected those of "
            f"a {source.kind} encoder; {_COPY_AGAIN}"
        )
    return SentenceModel(model, source.pooling).eval()


def _weights(source: EncoderSource) -> dict[str, torch.Tensor]:
    state: dict[str, torch.Tensor] = {}
    for file in weight_files(source.folder):
        try:
            state.update(load_file(file))
        except (OSError, SafetensorError) as error:
            raise InputError(f"{file}: cannot be read ({error}); {_COPY_AGAIN}") from error
    for name, tensor in state.items():
        if not bool(torch.isfinite(tensor).all()):
            bad = int((~torch.isfinite(tensor)).sum())
            raise InputError(
                f"{source.folder}: {name} holds {bad} NaN or infinite values of {tensor.numel()}; expected finite "
                f"weights; {_COPY_AGAIN}"
            )
    return state
