"""Grades answers with the scorers of an installed Inspect: run by its own Python, cases in and scores out as JSON."""

from __future__ import annotations

import asyncio
import json
import sys

from inspect_ai import scorer as scorers
from inspect_ai.model import ChatMessageUser, ModelOutput
from inspect_ai.scorer import Target
from inspect_ai.solver import TaskState
from inspect_ai.solver._multiple_choice import parse_answers, set_choices_based_on_generated_response


async def grade(case: dict) -> object:
    state = TaskState(
        model="mockllm/model", sample_id=1, epoch=1, input="?", messages=[ChatMessageUser(content="?")],
        target=Target(case["target"]), choices=[f"choice {n}" for n in range(case.get("choices", 0))],
        output=ModelOutput.from_content("mockllm/model", case["completion"]),
    )  # fmt: skip
    if case["scorer"] == "choice":
        set_choices_based_on_generated_response(state, parse_answers(state, case.get("several", False)))
    try:
        score = await getattr(scorers, case["scorer"])(**case["args"])(state, Target(case["target"]))
    except ValueError as error:
        return f"error: {error}"
    return score.value


async def main() -> None:
    cases = json.load(sys.stdin)
    json.dump([await grade(case) for case in cases], sys.stdout)


asyncio.run(main())
