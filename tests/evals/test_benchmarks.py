"""eval.yaml as it is seen in the wild, and as it must not be."""

from __future__ import annotations

import pytest

from glasshub.evals.eval_yaml import parse_eval_yaml
from glasshub.evals.inspect_schema import looks_like_path_or_url

MANY_TASKS = """\
name: GPQA
description: Graduate-level questions.
evaluation_framework: inspect-ai
tasks:
  - id: diamond
    config: gpqa_diamond
    split: train
    epochs: 4
    epoch_reducer: pass_at_1
    shuffle_choices: true
    field_spec:
      input: Question
      target: "literal:D"
      choices: [Incorrect 1, Incorrect 2, Incorrect 3, Correct]
    solvers: [{name: multiple_choice}]
    scorers: [{name: choice}]
  - id: "musr:murder"
    field_spec: {input: question, target: answer, metadata: [level]}
    solvers:
      - name: prompt_template
        args:
          template: |
            Solve it. {{{{braces}}}}
            {prompt}
      - name: generate
    scorers:
      - name: model_graded_fact
        args: {model: openai/o3-mini}
metrics:
  diamond: {name: accuracy, unit: "%", range: [0, 100]}
  "musr:murder": {name: errors, higher_is_better: false, range: [0, null]}
"""


def test_a_benchmark_with_tasks_and_metrics():
    parsed = parse_eval_yaml(MANY_TASKS.encode(), repo_id="org/gpqa")
    assert parsed.errors == ()
    assert [problem.severity for problem in parsed.problems] == ["warning"]  # shuffled without a seed
    assert parsed.spec is not None
    first, second = parsed.spec.tasks
    assert (first.id, first.config, first.split) == ("diamond", "gpqa_diamond", "train")
    assert (second.config, second.split) == ("default", "test")
    assert (first.metric.maximum, first.metric.unit, first.metric.higher_is_better) == (100.0, "%", True)
    assert (second.metric.minimum, second.metric.maximum, second.metric.higher_is_better) == (0.0, None, False)
    assert first.spec["epochs"] == 4


def test_other_frameworks_need_no_more_than_ids():
    text = "name: AIME\ndescription: Maths.\nevaluation_framework: math-arena\ntasks:\n  - id: MathArena/aime_2026\n"
    parsed = parse_eval_yaml(text.encode())
    assert parsed.problems == ()
    assert parsed.spec is not None
    assert parsed.spec.tasks[0].id == "MathArena/aime_2026"


@pytest.mark.parametrize(
    "text",
    ["", "prompts: [a]\nproviders: [b]\n", "task: x\nlanguages: [de]\n", "- just\n- a list\n", "5", "a: [\n"],
)
def test_files_of_other_tools_are_left_alone(text: str):
    parsed = parse_eval_yaml(text.encode())
    assert parsed.foreign
    assert parsed.problems == ()
    assert parsed.spec is None


def _problems(text: str, severity: str = "error", **options: str) -> list[str]:
    parsed = parse_eval_yaml(text.encode(), **options)
    assert severity != "error" or parsed.spec is None
    return [str(problem) for problem in parsed.problems if problem.severity == severity]


HEAD = "name: N\nevaluation_framework: {framework}\n"
TASK = """\
tasks:
  - id: a
    field_spec: {{input: q, target: a}}
    solvers: [{{name: {solver}}}]
    scorers: [{{name: {scorer}}}]
    {more}
"""


def _inspect(*, solver: str = "generate", scorer: str = "match", more: str = "") -> str:
    return HEAD.format(framework="inspect-ai") + TASK.format(solver=solver, scorer=scorer, more=more)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("evaluation_framework: x\ntasks: [{id: a}]\n", "has no name"),
        ("name: N\nevaluation_framework: x\ntasks: []\n", "at least one"),
        ("name: N\nevaluation_framework: x\ntasks: [{config: c}]\n", "has no id"),
        ("name: N\nevaluation_framework: x\ntasks: [{id: 5}]\n", "must be text"),
        ("name: N\nevaluation_framework: x\ntasks: [{id: a}, {id: a}]\n", "Two tasks"),
        ("name: N\nevaluation_framework: x\ntasks: [{id: a}]\nmetrics: {b: {name: x}}\n", "no task has that id"),
        ("name: N\nevaluation_framework: x\ntasks: [{id: a}]\nmetrics: {a: {range: [1, 0]}}\n", "lower end first"),
        ("name: N\nevaluation_framework: x\ntasks: [{id: a}]\nmetrics: {a: {best: 1}}\n", "has no 'best'"),
        (HEAD.format(framework="inspect-ai") + "tasks: [{id: a}]\n", "needs field_spec"),
        (_inspect(more="metrics: [x]"), "does not know the task key 'metrics'"),
        (_inspect(more="few_shot: 5"), "does not know the task key 'few_shot'"),
        (_inspect(more="epochs: 0"), "at least 1"),
        (_inspect(more="epoch_reducer: best"), "pass_at"),
        (_inspect(more="shuffle_choices: 42"), "true or false"),
        (_inspect(solver="my_solver"), "no solver 'my_solver'"),
        (_inspect(scorer="bleu"), "no scorer 'bleu'"),
        (_inspect(solver="prompt_template"), "needs args: {template"),
        (_inspect(scorer="answer, args: {pattern: digit}"), "must be one of: letter, line, word"),
        (_inspect(solver="system_message, args: {template: /etc/passwd}"), "looks like a path or URL"),
        (_inspect(solver="system_message, args: {template: 'http://evil.example/x'}"), "looks like a path or URL"),
        (_inspect(scorer="model_graded_qa, args: {model: m, instructions: '~/.cache/token'}"), "looks like a path"),
    ],
)
def test_mistakes_refuse_the_file_with_a_place(text: str, said: str):
    found = _problems(text)
    assert found
    assert any(said in problem for problem in found), found
    assert all(problem.startswith("eval.yaml:") for problem in found)


def test_all_mistakes_are_told_at_once():
    text = _inspect(solver="nope", scorer="nope", more="metrics: [x]").replace("name: N\n", "")
    assert len(_problems(text)) == 4


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (_inspect(scorer="model_graded_qa"), "grade itself"),
        (_inspect(solver="prompt_template, args: {template: 'Answer.'}"), "no {prompt}"),
        (_inspect(more="shuffle_choices: true"), "without a seed"),
        (_inspect().replace("id: a\n", "id: a/b\n"), "contains '/'"),
        ("name: N\nevaluation_framework: made-up\ntasks: [{id: a}]\n", "not a framework this hub knows"),
        (
            _inspect(solver="prompt_template, args: {template: '{prompt} {answer}'}").replace(
                "target: a}", "target: a, metadata: [answer]}"
            ),
            "show the answer",
        ),
    ],
)
def test_doubts_are_warnings(text: str, said: str):
    assert any(said in problem for problem in _problems(text, "warning"))
    assert parse_eval_yaml(text.encode()).spec is not None


def test_namespaces_that_inspect_cannot_load_are_warned():
    assert any("end in 'hf'" in problem for problem in _problems(_inspect(), "warning", repo_id="myhf/quiz"))
    assert not _problems(_inspect(), "warning", repo_id="org/quiz")


@pytest.mark.parametrize(
    "template",
    ["/etc/passwd", "~/.ssh/id_rsa", "./prompt.txt", "../x", "file:///x", "https://x.y/z", "s3://b/k", "hf://a/b",
     "prompt.txt", "prompts/one.md", "C:\\x.txt", "\\\\host\\share", "  /etc/passwd  "],
)  # fmt: skip
def test_templates_that_inspect_would_open(template: str):
    assert looks_like_path_or_url(template)


@pytest.mark.parametrize(
    "template",
    [
        "{prompt}",
        "Answer: {prompt}",
        "Is it and/or? {prompt}",
        "Solve.\n/etc/passwd",
        "Answer yes/no: {prompt}",
        "Answer.",
    ],
)
def test_templates_that_are_templates(template: str):
    assert not looks_like_path_or_url(template)
