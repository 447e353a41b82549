"""What is asked before a draft becomes a result, and the entry that it makes."""

from __future__ import annotations

import json
from dataclasses import replace

from glasshub.evals.entry_text import write_entry
from glasshub.evals.importers.answers import Answers, chosen, fields, not_said, questions, settled, to_json
from glasshub.evals.importers.proposal import Complete, Importer, LogFile, Measure
from glasshub.log_formats import read_log
from glasshub.plugins import hookimpl, load_plugins
from tests.importing.samples import EVERY, FILES, INSPECT, LIGHTEVAL, LM_EVAL, read

DESK = "glasshub/desk-questions"


def tasks(dataset: str):
    return {DESK: ("choice", "short"), "lab/one": ("only",)}.get(dataset)


def asked(draft, answers=Answers(), benchmarks=()):  # noqa: B008 - frozen
    return {question.name: question for question in questions(draft, answers, tasks, benchmarks)}


def test_a_log_of_inspect_leaves_nothing_to_ask():
    proposal = read(INSPECT)
    (draft,) = proposal.drafts
    assert asked(draft) == {}
    written = write_entry(fields(proposal, draft, Answers(), tasks, kept=".eval_logs/ab.eval"), "r.yaml")
    assert written.errors == {}
    entry = written.entry
    assert entry is not None
    assert (entry.dataset_id, entry.task_id, entry.dataset_revision) == (DESK, "choice", draft.revision)
    assert (entry.value_text, entry.notes) == ("0.25925925925925924", "choice/accuracy; inspect-ai 0.3.285")
    assert entry.extra == {
        "harness": "inspect-ai", "harness_version": "0.3.285", "stderr": 0.0859436075726402, "n": 27,
        "metric": "choice/accuracy", "complete": True, "imported": "inspect-ai 0.3.285", "reported_as": draft.what,
        "epochs": 1, "scorer": "choice", "log": ".eval_logs/ab.eval", "log_sha256": proposal.sha256,
    }  # fmt: skip
    assert not_said(proposal, draft, Answers()) == ["model_revision", "shots"]


def test_metric_and_task_are_asked_and_never_guessed():
    proposal = read(LM_EVAL)
    (draft,) = proposal.drafts
    found = asked(draft)
    assert set(found) == {"task", "metric"}
    assert found["task"].options == ("choice", "short")
    assert found["task"].text == f"Which task of {DESK} is desk_short (config short, split test)?"
    assert found["metric"].options == ("exact_match,strict", "exact_match,flexible")
    answers = Answers(task="short", metric="exact_match,strict")
    assert asked(draft, answers) == {}
    entry = write_entry(fields(proposal, draft, answers, tasks), "r.yaml").entry
    assert entry is not None
    assert entry.notes == "exact_match,strict; 0-shot; temperature 0.0; lm-evaluation-harness 0.4.13"
    assert (entry.extra["shots"], entry.extra["chat_template"], "log" in entry.extra) == (0, True, False)

    assert asked(draft, replace(answers, task="long"))["task"].text == f"{DESK} has no task long. Which one is it?"
    assert asked(draft, replace(answers, metric="acc"))["metric"].text.startswith("There is no acc in the file.")
    single = replace(draft, measures=draft.measures[:1])
    assert "metric" in asked(single, Answers(task="short"))  # a single number is no headline yet
    two = replace(draft, measures=(Measure("a", "1", headline=True), Measure("b", "2", headline=True)))
    assert chosen(two, Answers()) is None


def test_a_dataset_is_asked_where_the_file_names_none():
    draft = replace(read(LM_EVAL).drafts[0], dataset="", revision="")
    found = asked(draft, benchmarks=[DESK, "lab/one"])
    assert found["dataset"].options == (DESK, "lab/one")
    assert settled(draft, Answers(dataset="lab/one"), tasks) == ("lab/one", "")
    assert asked(draft, Answers(dataset="not/here", task="x", metric="exact_match,strict")) == {}
    only = replace(read(INSPECT).drafts[0], dataset="lab/one", task="", only_task=True)
    assert settled(only, Answers(), tasks) == ("lab/one", "only")  # the log says that there is one; the hub knows it
    assert settled(replace(only, dataset=DESK), Answers(), tasks) == (DESK, "")
    elsewhere = Answers(dataset="lab/one", task="only")
    assert fields(read(INSPECT), only, elsewhere, tasks)["revision"] != ""
    moved = replace(only, dataset=DESK)
    assert fields(read(INSPECT), moved, elsewhere, tasks)["revision"] == ""  # a commit of another dataset


def test_a_part_of_the_items_is_reported_only_on_purpose():
    (draft,) = read(FILES / "lm-eval-limited.json").drafts
    answers = Answers(task="choice", metric="acc,none")
    assert asked(draft, answers)["partial"].text == "Only 5 of 27 items counted. Report it all the same?"
    assert asked(draft, replace(answers, partial=True)) == {}
    entry = write_entry(fields(read(FILES / "lm-eval-limited.json"), draft, answers, tasks), "r.yaml").entry
    assert entry is not None
    assert entry.extra["complete"] is False
    assert "only 5 of 27 items" in entry.notes


def test_what_files_do_not_say_is_listed():
    proposal = read(LIGHTEVAL)
    assert not_said(proposal, proposal.drafts[0], Answers(metric="em")) == [
        "revision", "model_revision", "n", "complete", "harness_version",
    ]  # fmt: skip
    found = to_json(proposal, {"desk_choice|0": Answers(task="choice")}, tasks)
    json.dumps(found)
    (result,) = found["results"]
    assert [question["name"] for question in result["questions"]] == ["metric"]
    assert [metric["name"] for metric in result["metrics"]] == ["acc", "mrr"]
    assert read(EVERY).drafts[0].complete is Complete.UNKNOWN


def test_digests_that_look_like_numbers_stay_text():
    digest = "1" * 30 + "e" + "2" * 33
    written = write_entry({"dataset": "a/b", "task": "t", "value": "1", "settings": f"log_sha256: {digest}"}, "r.yaml")
    assert written.entry is not None
    assert written.entry.extra == {"log_sha256": digest}


def test_importers_of_plugins_come_before_those_of_the_hub():
    class Ours:
        @hookimpl
        def importers(self):
            return [
                Importer("ours", lambda file: replace(read(EVERY), tool="ours") if b"lm_eval" in file.data else None)
            ]

    plugins = load_plugins()
    file = LogFile("r.json", LM_EVAL.read_bytes())
    assert read_log(plugins, file).tool == "lm-evaluation-harness"
    plugins.register(Ours())
    assert read_log(plugins, file).tool == "ours"
    assert read_log(plugins, LogFile("r.eval", INSPECT.read_bytes())).tool == "inspect-ai"
