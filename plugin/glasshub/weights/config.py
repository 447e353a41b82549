"""What the configuration files of a model tell clients: a few keys, chosen as the public hub chooses them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

CONFIG, TOKENIZER, ADAPTER, DIFFUSERS = (
    "config.json",
    "tokenizer_config.json",
    "adapter_config.json",
    "model_index.json",
)
CONFIG_FILES = (CONFIG, TOKENIZER, ADAPTER, DIFFUSERS)
MAX_BYTES = 1024 * 1024
_MAX_TEXT = 200
_MAX_TEMPLATE = 64 * 1024
_MAX_ITEMS = 20
_TOKENS = ("bos_token", "eos_token", "pad_token", "unk_token", "cls_token", "sep_token", "mask_token")


def read_config(files: Mapping[str, bytes]) -> dict[str, Any]:
    """The chosen keys of those of :data:`CONFIG_FILES` that there are; what is no JSON object says nothing."""
    said = {name: _object(data) for name, data in files.items()}
    config, adapter = said.get(CONFIG, {}), said.get(ADAPTER, {})
    found: dict[str, Any] = {
        "architectures": _texts(config.get("architectures")),
        "model_type": _text(config.get("model_type")),
        "auto_map": _mapping(config.get("auto_map")),
        "quantization_config": _quantization(config.get("quantization_config")),
        "tokenizer_config": _tokenizer(said.get(TOKENIZER, {})),
        "diffusers": _kept({"_class_name": _text(said.get(DIFFUSERS, {}).get("_class_name"))}),
        "peft": _kept({key: _text(adapter.get(key)) for key in ("base_model_name_or_path", "task_type", "peft_type")}),
    }
    return _kept(found)


def _object(data: bytes) -> Mapping[str, Any]:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _kept(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value}


def _text(value: object, most: int = _MAX_TEXT) -> str:
    """Text that can be stored and shown, else nothing."""
    return value if isinstance(value, str) and len(value) <= most and _is_unicode(value) else ""


def _is_unicode(text: str) -> bool:
    # JSON can say half of a surrogate pair, which no database takes.
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _texts(value: object) -> list[str]:
    items = value if isinstance(value, list) else []
    return [text for item in items[:_MAX_ITEMS] if (text := _text(item))]


def _mapping(value: object) -> dict[str, str]:
    items = list(value.items())[:_MAX_ITEMS] if isinstance(value, dict) else []
    return _kept({key: _text(item) for key, item in items if _text(key)})


def _quantization(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        return {}
    bits = value.get("bits")
    known = isinstance(bits, int) and not isinstance(bits, bool) and 0 < bits <= 64
    return _kept({"quant_method": _text(value.get("quant_method")), "bits": bits if known else 0})


def _tokenizer(said: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key in _TOKENS:
        token = said.get(key)
        found[key] = _text(token.get("content") if isinstance(token, dict) else token)
    found["chat_template"] = _text(said.get("chat_template"), _MAX_TEMPLATE)
    return _kept(found)
