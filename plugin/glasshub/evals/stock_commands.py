"""The exact commands by which anybody measures a task again with stock tools. Pure."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

INSPECT = "inspect-ai"
MODEL = "PROVIDER/MODEL"  # what the reader puts in
_VERSION = re.compile(r"\d+(\.\d+){1,3}((a|b|rc)\d+)?")
_PLAIN = re.compile(r"[A-Za-z0-9_./@:+-]+")


def task_name(dataset_id: str, task_id: str, commit: str, *, tasks: int) -> str:
    """What Inspect calls a task at a commit, ``hf/ORG/DATASET/TASK@COMMIT``; ``""`` if it cannot load it.

    Args:
        dataset_id: ``namespace/name``.
        task_id: the task's id.
        commit: the commit of the dataset.
        tasks: how many tasks its ``eval.yaml`` has: the only one need not be named.
    """
    if "hf/" in f"{dataset_id}/":  # Inspect takes every "hf/" out of the name
        return ""
    if "/" in task_id or "@" in task_id:
        return f"hf/{dataset_id}@{commit}" if tasks == 1 else ""
    return f"hf/{dataset_id}/{task_id}@{commit}"


def install(version: str = "") -> str:
    """What installs Inspect and what it needs to read a hub.

    Args:
        version: the version of Inspect to pin, if the result says which measured it.
    """
    pin = f"=={version}" if _VERSION.fullmatch(version) else ""
    return f"pip install {INSPECT}{pin} datasets huggingface_hub openai"


def evaluate(address: str, name: str, *, settings: Mapping[str, Any] | None = None, model: str = MODEL) -> str:
    """What runs a task against a hub. Epochs, reducer and prompts are those of ``eval.yaml`` at the commit.

    Args:
        address: of the hub.
        name: as :func:`task_name` gives it.
        settings: of generation, as far as the result tells them.
        model: the model as Inspect names it.
    """
    options = [f"--{option} {shlex.quote(str(value))}" for option, value in _known(settings or {})]
    return " ".join([f"HF_ENDPOINT={shlex.quote(address)} inspect eval {shlex.quote(name)} --model {model}", *options])


def _known(settings: Mapping[str, Any]) -> Sequence[tuple[str, Any]]:
    """The settings that ``inspect eval`` has an option for, and whose value is plain."""
    options = ("temperature", "top_p", "top_k", "max_tokens", "seed", "reasoning_effort")
    return [
        (option.replace("_", "-"), settings[option])
        for option in options
        if isinstance(settings.get(option), int | float | str) and _PLAIN.fullmatch(str(settings[option]))
    ]
