"""The GGUF's keys, in the order in which llama.cpp's converter writes them."""

from __future__ import annotations

from collections.abc import Mapping

import gguf

from convert.checkpoint.jsonfile import read_json
from convert.gguf.config import ModelConfig
from convert.gguf.families import family_of
from convert.gguf.source import GgufSource
from convert.gguf.special import special_vocab

#: CodeLlama's vocabulary, and the token that ends what it fills in.
CODELLAMA_SIZE, CODELLAMA_EOT = 32016, 32010

#: The vocabulary of small Granites, which start without a token of their own.
GRANITE_SIZE = 49152


def add_keys(writer: gguf.GGUFWriter, source: GgufSource) -> None:
    """Add everything but the tensors, which the writer must know already (they give the model's size)."""
    writer.add_type(gguf.GGUFType.MODEL)
    _metadata(writer, source).set_gguf_meta_model(writer)
    _add_parameters(writer, source.config)
    writer.add_file_type(source.precision.file_type)
    if family_of(source.config.architecture).writes_vocab_size:
        writer.add_vocab_size(source.config.vocab)
        writer.add_rope_dimension_count(source.config.head_dim)
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    _add_vocabulary(writer, source)


def _metadata(writer: gguf.GGUFWriter, source: GgufSource) -> gguf.Metadata:
    """Name, licence and sampling advice from model card, folder name and ``generation_config.json``."""
    total, shared, expert, experts = writer.get_total_parameter_count()
    metadata = gguf.Metadata.load(None, source.folder, source.name, total)
    advice = source.folder / "generation_config.json"
    generation: Mapping[str, object] = read_json(advice) if advice.is_file() else {}
    # transformers' name for it, which the published gguf package does not know yet and llama.cpp's own does
    penalty = generation.get("repetition_penalty")
    if "penalty_repeat" not in generation and isinstance(penalty, int | float):
        metadata.sampling_penalty_repeat = float(penalty)
    if metadata.name is None:
        metadata.name = source.folder.name
    if metadata.size_label is None and total > 0:
        metadata.size_label = gguf.size_label(total, shared, expert, experts)
    return metadata


def _add_parameters(writer: gguf.GGUFWriter, config: ModelConfig) -> None:
    writer.add_block_count(config.layers)
    writer.add_context_length(config.context_tokens)
    writer.add_embedding_length(config.hidden)
    writer.add_feed_forward_length(config.feed_forward)
    writer.add_head_count(config.heads)
    writer.add_head_count_kv(config.kv_heads)
    if config.rope.type == "linear":
        writer.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
        writer.add_rope_scaling_factor(config.rope.factor)
    writer.add_rope_freq_base(config.rope.theta)
    writer.add_layer_norm_rms_eps(config.rms_eps)
    if config.states_head_dim:
        writer.add_key_length(config.head_dim)
        writer.add_value_length(config.head_dim)


def _add_vocabulary(writer: gguf.GGUFWriter, source: GgufSource) -> None:
    vocabulary = source.vocabulary
    if vocabulary.add_space_prefix is not None:
        writer.add_add_space_prefix(vocabulary.add_space_prefix)
    writer.add_tokenizer_model(vocabulary.model)
    writer.add_tokenizer_pre(vocabulary.pre)
    writer.add_token_list(vocabulary.tokens)
    if vocabulary.scores:
        writer.add_token_scores(vocabulary.scores)
    writer.add_token_types(vocabulary.types)
    special_vocab(source.folder, vocabulary).add_to_gguf(writer, quiet=True)
    if source.config.architecture == "LlamaForCausalLM":
        _add_by_size(writer, len(vocabulary.tokens))


def _add_by_size(writer: gguf.GGUFWriter, size: int) -> None:
    """The reference knows two Llamas by the size of their vocabulary: conversion/llama.py."""
    if size == CODELLAMA_SIZE:
        writer.add_eot_token_id(CODELLAMA_EOT)
    if size == GRANITE_SIZE:
        writer.add_add_bos_token(False)
