"""Which files hold the weights of a model: by the names at the root of its repo."""

from __future__ import annotations

import re
from collections.abc import Collection

SINGLE = "model.safetensors"
INDEX = f"{SINGLE}.index.json"
MAX_SHARDS = 1000
_INDEX_VALUE = re.compile(rb':\s*"([^"\\/]{1,255}\.safetensors)"\s*[,}]')
_PART = re.compile(r"(.+)-(\d{5})-of-(\d{5})\.(?:gguf|safetensors)")


def safetensors_files(names: Collection[str]) -> list[str]:
    """The safetensors files that are a whole model, ``[INDEX]`` when that has to be asked, ``[]`` when none are.

    As stock clients see it: ``model.safetensors``, or the files that its index names; else the only such file, or
    all parts of it. The weights of an adapter are not those of a model.
    """
    if SINGLE in names:
        return [SINGLE]
    if INDEX in names:
        return [INDEX]
    return _only([name for name in names if name.endswith(".safetensors") and not name.startswith("adapter_")])


def gguf_files(names: Collection[str]) -> list[str]:
    """The GGUF file, with all its parts, that stands for the model: the first by name, as all hold the same one."""
    found = sorted(name for name in names if name.endswith(".gguf") and not name.lower().startswith("mmproj"))
    return _only([name for name in found if _stem(name) == _stem(found[0])])


def shards(index: bytes) -> list[str]:
    """The files that an index (``model.safetensors.index.json``) names, each once, in order."""
    found = {match[1] for match in _INDEX_VALUE.finditer(index)}
    return sorted(name.decode("utf-8", "replace") for name in found)


def _only(names: list[str]) -> list[str]:
    """The names when they are one file, or all parts of one."""
    if len(names) == 1 and _PART.fullmatch(names[0]) is None:
        return names
    parts = [found for name in names if (found := _PART.fullmatch(name)) is not None]
    one = len(parts) == len(names) and len({(found[1], found[3]) for found in parts}) == 1
    whole = one and sorted(int(found[2]) for found in parts) == list(range(1, int(parts[0][3]) + 1))
    return sorted(names) if whole and len(names) <= MAX_SHARDS else []


def _stem(name: str) -> str:
    found = _PART.fullmatch(name)
    return f"{found[1]}-of-{found[3]}" if found else name
