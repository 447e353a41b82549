"""Files that the tools themselves wrote, and ways to change them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from glasshub.evals.importers.proposal import LogFile, Proposal
from glasshub.evals.importers.reading import propose
from glasshub.verify.logs.log import HEADER, open_log

FILES = Path(__file__).parent / "files"
INSPECT = Path(__file__).parents[1] / "verify" / "logs" / "desk-questions-choice.eval"
LM_EVAL, LM_EVAL_CHOICE = FILES / "lm-eval-short.json", FILES / "lm-eval-choice.json"
LIGHTEVAL = FILES / "results_2026-11-24T15-38-12.850316.json"
EVERY = FILES / "eee-lm-eval.json"
CARD = """---
license: mit
model-index:
  - name: Tiny
    results:
      - task: {type: text-classification}
        dataset: {name: Desk questions, type: glasshub/desk-questions, config: choice, split: test, revision: 76f0224}
        metrics:
          - {type: accuracy, value: 41.25}
          - {type: f1, value: 20.0 +- 1.2}
      - task: {type: summarization}
        dataset: {name: XSum, type: xsum}
        metrics: [{type: rouge, value: 12}]
---
# Tiny
"""


def read(path: Path) -> Proposal:
    """What a file says."""
    return propose(LogFile(path.name, path.read_bytes()))


def changed(path: Path, change: Callable[[Any], object], name: str = "") -> Proposal:
    """What a JSON file would say with a change."""
    document = json.loads(path.read_bytes())
    change(document)
    return propose(LogFile(name or path.name, json.dumps(document).encode()))


def inspect_json(change: Callable[[Any], object] = len) -> bytes:
    """The log of Inspect as one JSON document, with a change to its header."""
    with INSPECT.open("rb") as file:
        log = open_log(file)
        assert log._archive is not None
        header = json.loads(log._archive.read(HEADER))
    change(header)
    return json.dumps({**header, "samples": []}).encode()
