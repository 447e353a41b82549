"""What Inspect AI accepts as a task of ``eval.yaml`` (``HFTask`` in ``inspect_ai/_eval/task/hf.py``).

Checked against the rules of inspect-ai 0.3.285. Inspect forbids unknown keys, so one stray key breaks the
benchmark for everybody; and it reads ``template`` arguments from the runner's own disk or from a URL when
they look like one, so such templates are refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping as MappingType

from glasshub.evals.yaml_nodes import Mapping, Node, Problems, Scalar, Sequence, to_python

RELEASE = "0.3.285"
TASK_KEYS = frozenset(
    {"id", "config", "split", "field_spec", "shuffle_choices", "epochs", "epoch_reducer", "solvers", "scorers"}
)
FIELD_KEYS = frozenset(
    {
        "input", "target", "choices", "id", "metadata", "sandbox", "files", "setup", "checkpoint", "description",
        "input_image",
    }
)  # fmt: skip
_REDUCER = re.compile(r"pass_at_\d+|at_least_\d+|max|mode|median|mean")

# name -> required arguments; template-like arguments are checked for every name
SOLVERS: MappingType[str, tuple[str, ...]] = {
    "prompt_template": ("template",),
    "system_message": ("template",),
    "user_message": ("template",),
    "chain_of_thought": (),
    "use_tools": (),
    "generate": (),
    "self_critique": (),
    "multiple_choice": (),
}
SCORERS: MappingType[str, tuple[str, ...]] = {
    "includes": (),
    "match": (),
    "pattern": ("pattern",),
    "answer": ("pattern",),
    "exact": (),
    "f1": (),
    "model_graded_qa": (),
    "model_graded_fact": (),
    "choice": (),
    "math": (),
}
_TEMPLATE_ARGUMENTS = frozenset({"template", "instructions", "critique_template", "completion_template"})
_CHOICES: MappingType[tuple[str, str], frozenset[str]] = {
    ("answer", "pattern"): frozenset({"letter", "word", "line"}),
    ("match", "location"): frozenset({"begin", "end", "any", "exact"}),
}
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[/\\]")
_PATH_START = re.compile(r"(?:~|/|\\|\.{1,2}[/\\]|[A-Za-z]:[\\/])")
_FILE_END = re.compile(r"[\w./\\-]+\.[A-Za-z0-9]{1,8}")
_FIELD = re.compile(r"(?<!\{)\{(\w+)\}(?!\})")


def check_task(task: Mapping, problems: Problems) -> None:
    """Note everything in one task that Inspect would reject, or that makes its scores hard to reproduce."""
    for key in task.items:
        if key not in TASK_KEYS:
            problems.error(
                task.keys[key],
                f"Inspect ({RELEASE}) does not know the task key {key!r} and would reject the file. "
                "Move our own settings to the top level (metrics:), or remove it.",
            )
    _check_field_spec(task, problems)
    _check_epochs(task, problems)
    _check_shuffle(task, problems)
    solvers = _check_steps(task, "solvers", SOLVERS, problems)
    _check_steps(task, "scorers", SCORERS, problems)
    _check_prompts(task, solvers, problems)


def looks_like_path_or_url(template: str) -> bool:
    """Whether Inspect might take a template for a file or URL: one line that begins or ends like one."""
    text = template.strip()
    if not text or "\n" in text:
        return False
    if text.lower().startswith("file:") or _SCHEME.match(text) or _PATH_START.match(text):
        return True
    return _FILE_END.fullmatch(text) is not None or (" " not in text and "{" not in text and "/" in text)


def _check_field_spec(task: Mapping, problems: Problems) -> None:
    spec = task.get("field_spec")
    if not isinstance(spec, Mapping):
        problems.error(task.at("field_spec"), "Inspect needs field_spec: which columns are input, target and choices.")
        return
    for key, value in spec.items.items():
        if key not in FIELD_KEYS:
            known = ", ".join(sorted(FIELD_KEYS))
            problems.error(spec.keys[key], f"Inspect does not know field_spec.{key}. Known: {known}.")
        elif key in ("choices", "metadata"):
            if not _is_text(value) and not _is_text_list(value):
                problems.error(value, f"field_spec.{key} must be the name of a column or a list of names.")
        elif not _is_text(value):
            problems.error(value, f"field_spec.{key} must be the name of a column.")


def _check_epochs(task: Mapping, problems: Problems) -> None:
    epochs = task.get("epochs")
    if epochs is not None:
        number = epochs.value if isinstance(epochs, Scalar) else None
        if isinstance(number, bool) or not isinstance(number, int) or number < 1:
            problems.error(epochs, "epochs must be a whole number of at least 1.")
    reducer = task.get("epoch_reducer")
    if reducer is None or to_python(reducer) is None:
        return
    if not isinstance(reducer, Scalar) or not _REDUCER.fullmatch(reducer.text):
        problems.error(reducer, "epoch_reducer must be mean, median, mode, max, pass_at_<k> or at_least_<k>.")


def _check_shuffle(task: Mapping, problems: Problems) -> None:
    shuffle = task.get("shuffle_choices")
    if shuffle is None or to_python(shuffle) is None:
        return
    value = to_python(shuffle)
    if not isinstance(value, bool):
        problems.error(shuffle, "shuffle_choices must be true or false (Inspect takes no seed here).")
    elif value:
        problems.warn(shuffle, "Inspect shuffles choices without a seed: every run sees another order.")


def _check_steps(
    task: Mapping, key: str, known: MappingType[str, tuple[str, ...]], problems: Problems
) -> list[tuple[str, Mapping | None]]:
    """Check ``solvers`` or ``scorers``; returns (name, args) of those that could be read."""
    steps = task.get(key)
    if not isinstance(steps, Sequence) or not steps.items:
        problems.error(task.at(key), f"Inspect needs {key}: a list with at least one entry, such as - name: match.")
        return []
    found: list[tuple[str, Mapping | None]] = []
    for step in steps.items:
        name = step.get("name") if isinstance(step, Mapping) else None
        if not isinstance(step, Mapping) or not isinstance(name, Scalar):
            problems.error(step, f"Write each entry of {key} as - name: ... with args: below it if needed.")
        elif name.text not in known:
            problems.error(name, f"Inspect has no {key[:-1]} {name.text!r} for files. Known: {', '.join(known)}.")
        else:
            arguments = _check_arguments(step, name, known[name.text], problems)
            _check_judge(name, arguments, problems)
            found.append((name.text, arguments))
    return found


def _check_arguments(step: Mapping, name: Scalar, required: tuple[str, ...], problems: Problems) -> Mapping | None:
    arguments = step.get("args")
    if arguments is not None and not isinstance(arguments, Mapping):
        problems.error(arguments, f"args of {name.text} must be a mapping; leave it out when there are none.")
        return None
    for key in required:
        if arguments is None or key not in arguments.items:
            problems.error(arguments or name, f"{name.text} needs args: {{{key}: ...}}.")
    if arguments is None:
        return None
    for key, value in arguments.items.items():
        _check_argument(name.text, key, value, problems)
    return arguments


def _check_judge(name: Scalar, arguments: Mapping | None, problems: Problems) -> None:
    if name.text.startswith("model_graded_") and (arguments is None or "model" not in arguments.items):
        advice = "names no judge model, so the model under test may grade itself. Add args: {model: ...}."
        problems.warn(name, f"{name.text} {advice}")


def _check_argument(step: str, key: str, value: Node, problems: Problems) -> None:
    if key in _TEMPLATE_ARGUMENTS:
        if not _is_text(value):
            problems.error(value, f"{key} of {step} must be text.")
        elif isinstance(value, Scalar) and looks_like_path_or_url(value.text):
            problems.error(
                value,
                f"{key} of {step} looks like a path or URL. Inspect would read it from the disk of whoever runs "
                "the benchmark, so it is refused. Write the template itself here.",
            )
    allowed = _CHOICES.get((step, key))
    if allowed is not None and not (isinstance(value, Scalar) and value.text in allowed):
        problems.error(value, f"{key} of {step} must be one of: {', '.join(sorted(allowed))}.")


def _check_prompts(task: Mapping, solvers: list[tuple[str, Mapping | None]], problems: Problems) -> None:
    answers = _answer_columns(task.get("field_spec"))
    for name, arguments in solvers:
        template = arguments.get("template") if arguments is not None else None
        if not isinstance(template, Scalar):
            continue
        fields = set(_FIELD.findall(template.text))
        if name == "prompt_template" and "prompt" not in fields:
            problems.warn(template, "The template has no {prompt}, so the question itself is never sent.")
        for leak in sorted(fields & answers):
            problems.warn(template, f"{{{leak}}} in the template would show the answer to the model.")


def _answer_columns(spec: Node | None) -> set[str]:
    """Metadata columns that hold the answer: templates can name them, and then they leak it."""
    if not isinstance(spec, Mapping):
        return set()
    metadata, target = to_python(spec.get("metadata")), to_python(spec.get("target"))
    names = {name for name in metadata if isinstance(name, str)} if isinstance(metadata, list) else set()
    return names & {"answer", "target", "solution", str(target)}


def _is_text(node: Node) -> bool:
    return isinstance(node, Scalar) and isinstance(node.value, str)


def _is_text_list(node: Node) -> bool:
    return isinstance(node, Sequence) and bool(node.items) and all(_is_text(item) for item in node.items)
