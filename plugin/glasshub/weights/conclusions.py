"""What can be concluded about a model from its files where its card does not say it. Modest: only what is plain."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any, Literal, get_args

from glasshub.weights import config as files

Relation = Literal["adapter", "finetune", "merge", "quantized"]
RELATIONS: tuple[Relation, ...] = get_args(Relation)
_SENTENCE_TRANSFORMERS = frozenset({"config_sentence_transformers.json", "modules.json"})
_MERGES = frozenset({"merge", "mergekit"})
_QUANTIZED = frozenset({"gguf", "gptq", "awq", "exl2", "exl3", "bitsandbytes", "4-bit", "8-bit"})
_ADAPTERS = frozenset({"lora", "peft", "adapter"})
_FORMATS = (
    ("safetensors", r".+\.safetensors"),
    ("gguf", r".+\.gguf"),
    ("onnx", r".+\.onnx"),
    ("pytorch", r"pytorch_model.*\.bin"),
    ("tf", r"tf_model.*\.h5"),
    ("jax", r"flax_model.*\.msgpack"),
)
# The end of an architecture's name -> the class of transformers that loads it, and the task it was made for.
_AUTO = {
    "ForCausalLM": ("AutoModelForCausalLM", "text-generation"),
    "LMHeadModel": ("AutoModelForCausalLM", "text-generation"),
    "ForMaskedLM": ("AutoModelForMaskedLM", "fill-mask"),
    "ForSequenceClassification": ("AutoModelForSequenceClassification", "text-classification"),
    "ForTokenClassification": ("AutoModelForTokenClassification", "token-classification"),
    "ForQuestionAnswering": ("AutoModelForQuestionAnswering", "question-answering"),
    "ForMultipleChoice": ("AutoModelForMultipleChoice", "multiple-choice"),
    "ForImageClassification": ("AutoModelForImageClassification", "image-classification"),
    "ForObjectDetection": ("AutoModelForObjectDetection", "object-detection"),
    "ForAudioClassification": ("AutoModelForAudioClassification", "audio-classification"),
    "ForCTC": ("AutoModelForCTC", "automatic-speech-recognition"),
    "Model": ("AutoModel", "feature-extraction"),
}


def library(names: Collection[str], config: Mapping[str, Any]) -> str:
    """The library that loads a model with these files at its root (``""``: not plain)."""
    if "diffusers" in config:
        return "diffusers"
    if files.ADAPTER in names:
        return "peft"
    if set(names) >= _SENTENCE_TRANSFORMERS:
        return "sentence-transformers"
    return "transformers" if config.get("model_type") or config.get("architectures") else ""


def transformers_info(config: Mapping[str, Any]) -> dict[str, str] | None:
    """Which class of ``transformers`` loads a model of this configuration, and for what; ``None``: not plain."""
    architecture = next(iter(config.get("architectures", ())), "")
    for end, (auto_model, task) in _AUTO.items():
        if architecture.endswith(end):
            found = {"auto_model": auto_model, "pipeline_tag": task}
            return {**found, "processor": "AutoTokenizer"} if "tokenizer_config" in config else found
    return None


def pipeline(library: str, config: Mapping[str, Any]) -> str:
    """The task that a model is for (``""``: not plain)."""
    if library == "sentence-transformers":
        return "sentence-similarity"
    info = transformers_info(config) if library == "transformers" else None
    return info["pipeline_tag"] if info else ""


def tags(names: Collection[str], config: Mapping[str, Any]) -> set[str]:
    """Tags for the formats of the weights, and for the type of model."""
    found = {tag for tag, form in _FORMATS if any(re.fullmatch(form, name) for name in names)}
    return found | ({config["model_type"]} if config.get("model_type") else set())


def relation(
    said: str, base_models: Collection[str], tags: Collection[str], names: Collection[str], config: Mapping[str, Any]
) -> Relation:
    """How a model came from its base models: as its card says (``said``), else as its files and tags show."""
    for known in RELATIONS:
        if said == known:
            return known
    named = {tag.lower() for tag in tags}
    if files.ADAPTER in names or named & _ADAPTERS:
        return "adapter"
    if len(base_models) > 1 or named & _MERGES:
        return "merge"
    if named & _QUANTIZED or "quantization_config" in config or any(name.endswith(".gguf") for name in names):
        return "quantized"
    return "finetune"
