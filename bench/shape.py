"""A GGUF of a given shape with random weights: for speed and size, where no trained model of that size is at hand.

Speed does not depend on what the weights are, only on their shapes and quantised types, which are those that
llama.cpp's Q4_K_M gives. The tokenizer is another model's, so that texts of this project are cut sensibly; up to the
vocabulary's size it is filled with single Chinese and Korean characters. Only those can come out: the output rows of
all other tokens are zero. So every answer token is one character, never an end or half a character, and an answer that
is sent back encodes to just the tokens that it was, as nearly every answer of a trained model does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import gguf
import numpy as np
from numpy.typing import NDArray

from bench.errors import UsageError

#: Values in a block of either type, and the bytes that hold them.
_BLOCK = 256
_BLOCK_BYTES = {gguf.GGMLQuantizationType.Q4_K: 144, gguf.GGMLQuantizationType.Q6_K: 210}
_DEVIATION = 0.02
_FILLER_SCORE = -10_000.0
_FILE_TYPE_Q4_K_M = 15
_NORM_EPSILON = 1e-5

#: Called with the bytes written so far and the bytes in all.
Written = Callable[[int, int], None]
Bytes = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Shape:
    """The sizes of a Llama; the defaults are TinyLlama's.

    Attributes:
        layers: transformer blocks.
        width: of the residual stream; a multiple of 256 and of ``heads``.
        hidden: of the feed-forward part; a multiple of 256.
        heads: of queries.
        kv_heads: of keys and values.
        vocabulary: tokens; at least the tokenizer's own.
        context_tokens: that the model says it was trained for.
    """

    layers: int = 22
    width: int = 2048
    hidden: int = 5632
    heads: int = 32
    kv_heads: int = 4
    vocabulary: int = 32_000
    context_tokens: int = 2048

    @property
    def kv_width(self) -> int:
        """Of keys, and of values, in one layer."""
        return self.width // self.heads * self.kv_heads


@dataclass(frozen=True, slots=True)
class _Tensor:
    """One tensor: its name, its rows and columns (no rows: a vector of ones), its type."""

    name: str
    rows: int
    columns: int
    type: gguf.GGMLQuantizationType

    @property
    def bytes(self) -> int:
        """As stored."""
        if not self.rows:
            return 4 * self.columns
        return self.rows * self.columns // _BLOCK * _BLOCK_BYTES[self.type]


def write_shape(shape: Shape, tokenizer: Path, out: Path, seed: int = 1, written: Written = lambda *_: None) -> None:
    """Write the model; the same arguments give the same bytes. About 668 MB for TinyLlama's shape.

    Args:
        shape: its sizes.
        tokenizer: a GGUF whose tokenizer and chat template are taken.
        out: the file.
        seed: of the weights.
        written: told of progress.

    Raises:
        UsageError: the sizes do not fit each other or the tokenizer, or a file cannot be read or written.
    """
    _check(shape)
    try:
        reader = gguf.GGUFReader(tokenizer)
    except (OSError, ValueError) as error:
        raise UsageError(f"{tokenizer} cannot be read ({error}); expected a GGUF with a tokenizer") from error
    own_tokens = len(_field(reader, "tokens", tokenizer))
    tensors = tuple(_tensors(shape))
    total = sum(tensor.bytes for tensor in tensors)
    writer = gguf.GGUFWriter(path=None, arch="llama")
    _add_sizes(writer, shape)
    _add_tokenizer(writer, reader, shape, tokenizer)
    for tensor in tensors:
        dimensions = (tensor.rows, tensor.columns) if tensor.rows else (tensor.columns,)
        writer.add_tensor_info(tensor.name, dimensions, np.dtype(np.float32), tensor.bytes, tensor.type)
    rng = np.random.default_rng(seed)
    try:
        writer.write_header_to_file(out)
        writer.write_kv_data_to_file()
        writer.write_ti_data_to_file()
        done = 0
        for tensor in tensors:
            silent = own_tokens if tensor.name == "output.weight" else 0
            writer.write_tensor_data(_data(tensor, rng, silent))
            done += tensor.bytes
            written(done, total)
        writer.close()
    except OSError as error:
        raise UsageError(f"{out} cannot be written ({error}); name another file") from error


def _check(shape: Shape) -> None:
    for name, size in (("width", shape.width), ("hidden", shape.hidden)):
        if size % _BLOCK:
            raise UsageError(f"{name} {size}; expected a multiple of {_BLOCK}, the values in a quantised block")
    if shape.width % shape.heads or shape.heads % shape.kv_heads:
        raise UsageError(
            f"width {shape.width}, {shape.heads} heads, {shape.kv_heads} KV heads; each must divide the one before"
        )


def _tensors(shape: Shape) -> Iterator[_Tensor]:
    f32, q4, q6 = (gguf.GGMLQuantizationType[name] for name in ("F32", "Q4_K", "Q6_K"))
    yield _Tensor("output.weight", shape.vocabulary, shape.width, q6)
    yield _Tensor("output_norm.weight", 0, shape.width, f32)
    yield _Tensor("token_embd.weight", shape.vocabulary, shape.width, q4)
    for layer in range(shape.layers):
        finer = q6 if has_more_bits(layer, shape.layers) else q4
        for part, rows, columns, kind in (
            ("attn_k", shape.kv_width, shape.width, q4),
            ("attn_norm", 0, shape.width, f32),
            ("attn_output", shape.width, shape.width, q4),
            ("attn_q", shape.width, shape.width, q4),
            ("attn_v", shape.kv_width, shape.width, finer),
            ("ffn_down", shape.width, shape.hidden, finer),
            ("ffn_gate", shape.hidden, shape.width, q4),
            ("ffn_norm", 0, shape.width, f32),
            ("ffn_up", shape.hidden, shape.width, q4),
        ):
            yield _Tensor(f"blk.{layer}.{part}.weight", rows, columns, kind)


def has_more_bits(layer: int, layers: int) -> bool:
    """Whether Q4_K_M stores attn_v and ffn_down of a layer as Q6_K: the first and last eighth, and every third."""
    eighth = layers // 8
    return layer < eighth or layer >= 7 * layers // 8 or (layer - eighth) % 3 == 2


def _data(tensor: _Tensor, rng: np.random.Generator, silent_rows: int) -> NDArray[np.generic]:
    """One tensor as stored; the first ``silent_rows`` rows are zero."""
    if not tensor.rows:
        return np.ones(tensor.columns, np.float32)
    make = q4_k_blocks if tensor.type == gguf.GGMLQuantizationType.Q4_K else q6_k_blocks
    blocks = make(tensor.rows * tensor.columns // _BLOCK, rng)
    blocks[: silent_rows * tensor.columns // _BLOCK] = 0
    return blocks


def q4_k_blocks(count: int, rng: np.random.Generator) -> Bytes:
    """(count, 144) random blocks of 256 values around zero.

    Two f16 (scale of scales, scale of minima), 12 bytes of packed 6-bit scales and minima, 128 bytes of 4-bit values.
    Scale and minimum of a sub-block are the same number here, and the minima's scale is 7.5 times the scales'; so the
    values 0 to 15 become -7.5 to 7.5.
    """
    blocks = rng.integers(0, 256, (count, 144), np.uint8)
    scales = rng.integers(32, 64, (count, 8), np.uint8)
    unit = np.float16(_DEVIATION / (48.0 * np.std(np.arange(16))))
    blocks[:, :4] = np.array([unit, np.float16(7.5) * unit], np.float16).view(np.uint8)
    first, last = scales[:, :4], scales[:, 4:]
    blocks[:, 4:8] = blocks[:, 8:12] = first | (last >> 4 << 6)
    blocks[:, 12:16] = (last & 15) | (last & 15) << 4
    return blocks


def q6_k_blocks(count: int, rng: np.random.Generator) -> Bytes:
    """(count, 210) random blocks: 192 bytes of 6-bit values around zero, 16 signed scales, one f16 scale of scales."""
    blocks = rng.integers(0, 256, (count, 210), np.uint8)
    blocks[:, 192:208] = rng.integers(32, 64, (count, 16), np.uint8)
    blocks[:, 208:] = np.array([_DEVIATION / (48.0 * np.std(np.arange(64)))], np.float16).view(np.uint8)
    return blocks


def _add_sizes(writer: gguf.GGUFWriter, shape: Shape) -> None:
    writer.add_name(f"random weights, {shape.layers} layers of {shape.width}")
    writer.add_block_count(shape.layers)
    writer.add_context_length(shape.context_tokens)
    writer.add_embedding_length(shape.width)
    writer.add_feed_forward_length(shape.hidden)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.kv_heads)
    writer.add_rope_freq_base(10_000.0)
    writer.add_layer_norm_rms_eps(_NORM_EPSILON)
    writer.add_rope_dimension_count(shape.width // shape.heads)
    writer.add_vocab_size(shape.vocabulary)
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    writer.add_file_type(_FILE_TYPE_Q4_K_M)


def _field(reader: gguf.GGUFReader, name: str, path: Path) -> list[object]:
    field = reader.fields.get(f"tokenizer.ggml.{name}")
    if field is None:
        raise UsageError(f"{path} has no tokenizer.ggml.{name}; expected a GGUF with a SentencePiece tokenizer")
    values: list[object] = field.contents()
    return values


def _add_tokenizer(writer: gguf.GGUFWriter, reader: gguf.GGUFReader, shape: Shape, path: Path) -> None:
    tokens, scores, kinds = (_field(reader, name, path) for name in ("tokens", "scores", "token_type"))
    missing = shape.vocabulary - len(tokens)
    if missing < 1:
        raise UsageError(f"vocabulary {shape.vocabulary}; expected more than the {len(tokens)} tokens of {path}")
    known = set(tokens)
    fillers = [character for character in _characters() if character not in known][:missing]
    if len(fillers) < missing:
        raise UsageError(f"vocabulary {shape.vocabulary}; expected at most {len(tokens) + len(fillers)}")
    writer.add_tokenizer_model(reader.fields["tokenizer.ggml.model"].contents())
    writer.add_token_list([*tokens, *fillers])
    writer.add_token_scores([*scores, *[_FILLER_SCORE] * missing])
    writer.add_token_types([*kinds, *[gguf.TokenType.NORMAL] * missing])
    writer.add_bos_token_id(reader.fields["tokenizer.ggml.bos_token_id"].contents())
    writer.add_eos_token_id(reader.fields["tokenizer.ggml.eos_token_id"].contents())
    writer.add_add_bos_token(True)
    writer.add_add_eos_token(False)
    template = reader.fields.get("tokenizer.chat_template")
    if template is None:
        raise UsageError(f"{path} has no tokenizer.chat_template; expected a chat model")
    writer.add_chat_template(template.contents())


def _characters() -> Iterator[str]:
    """CJK unified ideographs, then Hangul syllables: 32,164 characters of three bytes in UTF-8 each."""
    yield from map(chr, range(0x4E00, 0xA000))
    yield from map(chr, range(0xAC00, 0xD7A4))
