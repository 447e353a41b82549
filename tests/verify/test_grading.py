"""Answers are graded as the scorers of Inspect grade them."""

from __future__ import annotations

import json
import random
import subprocess
from pathlib import Path

import pytest

from glasshub.errors import Invalid
from glasshub.verify.logs.arithmetic import to_number
from glasshub.verify.logs.grading import Asked, grade
from tests.require import require

PROGRAM = Path(__file__).with_name("inspect_scorers.py")
_WITHOUT = [("f1", {}), ("f1", {"stop_words": ["of", "The"]}), ("exact", {}), ("includes", {})]
_SCORERS = [
    *_WITHOUT,
    ("includes", {"ignore_case": False}),
    *(("match", {"location": where, "numeric": True}) for where in ("begin", "end", "any", "exact")),
    *(("match", {"location": where}) for where in ("begin", "end", "any", "exact")),
    *(("answer", {"pattern": kind}) for kind in ("letter", "word", "line")),
    *(("pattern", {"pattern": text}) for text in (r"(\d+)\D+(\d+)", r"\w+", r"(x)?(\w*)")),
    *(("pattern", {"pattern": text, "match_all": True}) for text in (r"(\d+)\D+(\d+)", r"\w+", r"(x)?(\w*)")),
]
_PIECES = [
    *"0123456789.,'-+eE$*_%:!?()[]{}\"` \n", " ", " ", "the", "an", "apple", "of", "Paris", "ANSWER:", "answer : ", "B",
    "42", "3.0", "1,000", "10-15", "−", "½", "²", "三", "点", "’", "１", "x", "\\$", "€", "ß", "nan", "inf",
]  # fmt: skip
_TARGETS = (
    "42",
    "3",
    "3.0",
    "1000",
    "the",
    "",
    "the apple of Paris",
    "B",
    "-5",
    "1e3",
    "½",
    "x",
    "$20",
    "an apple",
    "60%",
    "SS",
    ".",
)
_CHOICES = (
    "A",
    "B",
    "C",
    "D",
    "1",
    "5",
    "and",
    ",",
    " ",
    ", ",
    ".",
    "\n",
    "ANSWER:",
    "answer :",
    "$",
    "**",
    "(",
    ")",
    "Ans",
)


def cases(most: int = 3_000) -> list[dict]:
    dice = random.Random(5)
    found = []
    for number in range(most):
        name, args = _SCORERS[number % len(_SCORERS)]
        said = "".join(dice.choices(_PIECES, k=dice.randint(0, 9)))
        target = dice.choice(_TARGETS)
        if dice.random() < 0.4:
            said = f"{said} {target}{dice.choice(('', '.', '!', ' cm'))}"
        found.append({"scorer": name, "args": args, "completion": said, "target": [target]})
    for number in range(most // 4):
        said = "ANSWER:" + "".join(dice.choices(_CHOICES, k=dice.randint(0, 5)))
        case = {"scorer": "choice", "args": {}, "completion": said, "choices": dice.choice((4, 4, 31))}
        found.append(case | {"target": [dice.choice(("A", "B", "A,B", "BC", "5"))], "several": number % 2 == 1})
    return found


def ours(case: dict) -> float | None:
    asked = Asked(case["completion"], case["target"], case.get("choices", 0), case.get("several", False))
    try:
        return grade(case["scorer"], asked, case["args"])
    except Invalid:
        return None


@pytest.mark.slow
def test_thousands_of_answers_score_as_stock_inspect_scores_them():
    asked = cases()
    python = Path(require("inspect")).resolve().parent / "python"
    done = subprocess.run([python, PROGRAM], input=json.dumps(asked), capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    theirs = [None if str(value).startswith("error") else to_number(value) for value in json.loads(done.stdout)]
    pairs = [(case, ours(case), value) for case, value in zip(asked, theirs, strict=True)]
    wrong = [(case, mine, value) for case, mine, value in pairs if mine is not None and mine != value]
    assert wrong == []
    unknown = [case for case, mine, value in pairs if mine is None and value is not None]
    plain = [case for case in unknown if (case["completion"] + case["target"][0]).isascii()]
    assert plain == []  # what is left to people is what is written in unusual signs


@pytest.mark.parametrize(
    ("completion", "target", "score"),
    [
        ("It costs $1,000.", "1000", 1), ("25", "5", 0), ("It is 60%", "60", 0), ("(42)", "42", 1), ("−5", "-5", 1),
        ("from 10-15 to 42", "42", 1), ("42 or 43", "42", 0), ("", "42", 0), ("about 3.140000001", "3.14", 1),
    ],
)  # fmt: skip
def test_numbers_are_compared_as_numbers(completion, target, score):
    assert grade("match", Asked(completion, [target]), {"numeric": True}) == score


@pytest.mark.parametrize("completion", ["½", "10²", "三十"])
def test_numbers_in_signs_of_their_own_are_left_to_people(completion):
    with pytest.raises(Invalid, match="written in a way"):
        grade("match", Asked(completion, ["5"]), {"numeric": True})


@pytest.mark.parametrize(
    ("completion", "target", "score"),
    [("the red apple", "an apple", 0.67), ("3", "3.0", 1), ("", "apple", 0), ("x", "the", 0), ("b-a c", "c b", 1)],
)
def test_words_in_common_are_counted(completion, target, score):
    assert grade("f1", Asked(completion, [target]), {}) == score


def test_exact_takes_numbers_for_numbers():
    assert grade("exact", Asked("3", ["3.0"]), {}) == 1
