"""Logs that stock Inspect 0.3.285 wrote pass the audit; tampering is found, or named as what no log can show."""

from __future__ import annotations

import io
import json
import zipfile

import pytest
import zstandard

from glasshub.audits.references import file_of, log_named
from glasshub.errors import GlasshubError, Invalid, TooLarge
from glasshub.verify.logs.archive import Limits
from glasshub.verify.logs.audit import audit
from glasshub.verify.logs.log import open_log
from glasshub.verify.logs.prompts import fill, rendered
from glasshub.verify.logs.report import Outcome, Report
from glasshub.verify.logs.subject import same_number
from glasshub.verify.logs.task import parse_task_name
from glasshub.verify.rows import split_files
from tests.verify.logbook import LOGS, TASKS, members, packed, rows


def report(said: dict[str, object], task: str = "choice", **spec) -> Report:
    return audit(open_log(packed(said)), TASKS[task] | spec, rows(task))


def failed(found: Report) -> set[str]:
    assert not found.audited
    return {check.id for check in found.failed}


@pytest.mark.parametrize(("task", "value"), [("choice", 7 / 27), ("short", 15 / 27)])
def test_a_log_of_stock_inspect_is_audited(task, value):
    with (LOGS / f"desk-questions-{task}.eval").open("rb") as file:
        found = audit(open_log(file), TASKS[task], rows(task))
    assert [(check.id, check.outcome) for check in found.checks if check.outcome is not Outcome.PASSED] == []
    assert found.audited
    assert found.value == pytest.approx(value, abs=1e-12)


def test_a_log_in_one_json_document_is_read_as_well():
    said = members()
    document = said["header.json"] | {"samples": [value for name, value in said.items() if name.startswith("samples/")]}
    found = audit(open_log(io.BytesIO(json.dumps(document).encode())), TASKS["choice"], rows("choice"))
    assert found.audited


def test_an_edited_number_is_found():
    said = members()
    said["header.json"]["results"]["scores"][0]["metrics"]["accuracy"]["value"] = 0.99
    assert failed(report(said)) == {"A4"}


def test_an_edited_standard_error_is_found():
    said = members()
    said["header.json"]["results"]["scores"][0]["metrics"]["stderr"]["value"] = 0.001
    assert failed(report(said)) == {"A4"}


def test_removed_failures_are_found():
    said = members()
    for name in [n for n, v in said.items() if n.startswith("samples/") and v["scores"]["choice"]["value"] == "I"]:
        del said[name]
    said["header.json"]["results"]["scores"][0]["metrics"]["accuracy"]["value"] = 1.0
    assert "A2" in failed(report(said))


def test_removed_failures_are_found_even_if_the_header_agrees():
    said = members()
    keep = [v for n, v in said.items() if n.startswith("samples/") and v["scores"]["choice"]["value"] == "C"]
    for name in [n for n in said if n.startswith("samples/")]:
        del said[name]
    said |= {f"samples/{sample['id']}_epoch_1.json": sample for sample in keep}
    said["header.json"]["eval"]["dataset"] |= {"samples": len(keep), "sample_ids": [s["id"] for s in keep]}
    assert "A3" in failed(report(said))


def test_forged_right_answers_are_found():
    said = members()
    for name, sample in said.items():
        if name.startswith("samples/"):
            sample["target"] = sample["scores"]["choice"]["answer"] or "A"
            sample["scores"]["choice"]["value"] = "C"
    assert {"B1", "A4"} <= failed(report(said))


def test_forged_scores_are_found():
    said = members()
    for name, sample in said.items():
        if name.startswith("samples/"):
            sample["scores"]["choice"]["value"] = "C"
    for item in said["reductions.json"][0]["samples"]:
        item["value"] = 1.0
    said["header.json"]["results"]["scores"][0]["metrics"] = {"accuracy": {"name": "accuracy", "value": 1.0}}
    assert failed(report(said)) == {"C1"}


def test_forged_answers_pass_which_is_why_an_audit_is_no_verification():
    said = members()
    for name, sample in said.items():
        if name.startswith("samples/"):
            sample["output"]["completion"] = f"ANSWER: {sample['target']}"
            sample["scores"]["choice"]["value"] = "C"
    for item in said["reductions.json"][0]["samples"]:
        item["value"] = 1.0
    said["header.json"]["results"]["scores"][0]["metrics"] = {"accuracy": {"name": "accuracy", "value": 1.0}}
    assert report(said).audited


@pytest.mark.parametrize(
    ("change", "check"),
    [
        ({"status": "cancelled"}, "A1"), ({"invalidated": True}, "A1"), ({"error": {"message": "no"}}, "A1"),
        ({"log_updates": [{}]}, "A1"), ({"eval.config.limit": 27}, "A3"), ({"eval.config.sample_id": [1]}, "A3"),
        ({"eval.solver": "mine"}, "B3"), ({"eval.config.epochs": 2}, "A2"),
        ({"plan.steps": [{"solver": "chain_of_thought"}, {"solver": "multiple_choice"}]}, "B3"),
        ({"eval.scorers": [{"name": "includes"}]}, "B3"),
    ],
    ids=str,
)  # fmt: skip
def test_a_run_that_was_not_as_asked_is_found(change, check):
    said = members()
    for path, value in change.items():
        *way, last = path.split(".")
        place = said["header.json"]
        for part in way:
            place = place[part]
        place[last] = value
    assert check in failed(report(said))


def test_a_task_with_other_epochs_or_reducer_is_found():
    assert failed(report(members(), epochs=4)) == {"B3"}
    assert failed(report(members(), scorers=[{"name": "choice", "args": {"x": 1}}])) == {"B3"}


def test_changed_gold_answers_in_the_data_are_found():
    changed = rows("choice")
    changed[4]["answer"] = "D" if changed[4]["answer"] != "D" else "A"
    found = audit(open_log(packed(members())), TASKS["choice"], changed)
    assert {check.id for check in found.failed} == {"B1"}


@pytest.mark.parametrize(
    ("column", "value"), [("question", "Which is the shortest?"), ("choices", ["1", "2", "3", "4"])]
)
def test_another_question_or_other_choices_are_found(column, value):
    changed = rows("choice")
    changed[0][column] = value
    found = audit(open_log(packed(members())), TASKS["choice"], changed)
    assert "B1" in {check.id for check in found.failed}


def test_data_with_more_rows_than_were_run_is_found():
    more = [*rows("choice"), rows("choice")[0]]
    found = audit(open_log(packed(members())), TASKS["choice"], more)
    assert {check.id for check in found.failed} == {"A3"}


def test_a_sample_that_no_item_stands_for_is_found():
    said = members()
    said["samples/28_epoch_1.json"] = said["samples/27_epoch_1.json"] | {"id": 28}
    assert "A2" in failed(report(said))


def test_a_sample_twice_in_one_document_is_refused():
    said = members()
    samples = [value for name, value in said.items() if name.startswith("samples/")]
    document = said["header.json"] | {"samples": [*samples, samples[0]]}
    with pytest.raises(Invalid, match="twice"):
        open_log(io.BytesIO(json.dumps(document).encode()))


def test_a_sample_twice_is_refused():
    said = members()
    file = packed(said)
    with zipfile.ZipFile(file, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("samples/1_epoch_1.json", json.dumps(said["samples/1_epoch_1.json"]))
    with pytest.raises(Invalid, match="twice"):
        open_log(file)


def test_a_sample_in_the_place_of_another_is_found():
    said = members()
    right = next(v for n, v in said.items() if n.startswith("samples/") and v["scores"]["choice"]["value"] == "C")
    wrong = next(n for n, v in said.items() if n.startswith("samples/") and v["scores"]["choice"]["value"] == "I")
    said[wrong] = right
    assert failed(report(said)) == {"A2"}


def test_without_data_the_content_is_unknown_and_nothing_is_claimed():
    found = audit(open_log(packed(members())), TASKS["choice"], None, unknown="The data is in Parquet.")
    assert not found.audited
    assert found.failed == ()
    assert {check.id for check in found.checks if check.outcome is Outcome.UNKNOWN} == {"A3", "B1", "B2", "C1"}


def test_without_samples_nothing_can_be_audited():
    said = {name: value for name, value in members().items() if not name.startswith("samples/")}
    assert {"A2", "A4"} <= failed(report(said))


def test_an_archive_that_unpacks_to_more_than_it_says_is_refused():
    said = members()
    bomb = zstandard.ZstdCompressor().compress(b" " * 50_000_000)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, value in said.items():
            archive.writestr(name, bomb if name == "header.json" else json.dumps(value))
    data = file.getvalue()
    place = data.rfind(b"PK\x01\x02")
    with pytest.raises(Invalid, match="damaged"):
        open_log(io.BytesIO(data[: place + 10] + (93).to_bytes(2, "little") + data[place + 12 :]))


@pytest.mark.parametrize(
    ("limits", "words"),
    [(Limits(file=1_000), "bytes"), (Limits(member=100), "header.json"), (Limits(members=5), "members")],
)
def test_more_than_is_read_is_refused(limits, words):
    with (LOGS / "desk-questions-choice.eval").open("rb") as file, pytest.raises(TooLarge, match=words):
        open_log(file, limits)


def test_all_members_together_have_a_limit():
    with (LOGS / "desk-questions-choice.eval").open("rb") as file:
        log = open_log(file, Limits(total=20_000))
        assert {check.id for check in audit(log, TASKS["choice"], rows("choice")).failed} == {"A2"}


@pytest.mark.parametrize(
    "name", ["../x.json", "/etc/x.json", "samples\\x.json", "samples/x.json", "samples/1_epoch_x.json"]
)
def test_members_with_impossible_names_are_refused(name):
    with pytest.raises(Invalid, match="impossible"):
        open_log(packed(members() | {name: {}}))


@pytest.mark.parametrize("cut", [10, 1_000, 40_000])
def test_a_log_that_is_cut_off_is_refused(cut):
    data = (LOGS / "desk-questions-choice.eval").read_bytes()
    with pytest.raises(Invalid):
        open_log(io.BytesIO(data[:-cut]))


def test_a_changed_byte_is_found():
    data = bytearray((LOGS / "desk-questions-choice.eval").read_bytes())
    data[data.find(b"samples/9_epoch_1.json") + 200] ^= 0xFF
    assert {check.id for check in audit(open_log(io.BytesIO(data)), TASKS["choice"], rows("choice")).failed} == {"A2"}


@pytest.mark.parametrize("data", [b"", b"PK", b"{}", b"[1]", b"null", b"\xff\xfe", b"[" * 100_000, b'{"version": 2}'])
def test_what_is_no_log_is_refused(data):
    with pytest.raises(GlasshubError):
        open_log(io.BytesIO(data))


def test_a_pattern_that_would_take_for_ever_is_given_up():
    spec = TASKS["short"] | {"scorers": [{"name": "pattern", "args": {"pattern": r"(a|aa)+$"}}]}
    said = members("short")
    for name, sample in said.items():
        if name.startswith("samples/"):
            sample["output"]["completion"] = "a" * 200 + "!"
    found = audit(open_log(packed(said)), spec, rows("short"))
    assert next(check.outcome for check in found.checks if check.id == "C1") is Outcome.UNKNOWN


def test_a_prompt_that_gives_the_answer_away_is_found():
    said = members()
    for name, sample in said.items():
        if name.startswith("samples/"):
            sample["attachments"] = {
                key: f"{text}\n(It is {sample['target']}.)" for key, text in sample["attachments"].items()
            }
    assert failed(report(said)) == {"B2"}


def test_a_system_message_beside_the_task_is_found():
    said = members("short")
    said["header.json"]["plan"]["config"]["system_message"] = "You know all answers."
    assert failed(report(said, "short")) == {"B2"}


def test_a_log_without_events_does_not_tell_what_was_sent():
    said = members("short")
    for name, sample in said.items():
        if name.startswith("samples/"):
            sample["events"] = []
    found = report(said, "short")
    assert not found.audited
    assert {check.id for check in found.checks if check.outcome is Outcome.UNKNOWN} == {"B2"}


def test_prompts_are_written_as_the_solvers_of_inspect_write_them():
    solvers = [
        {"name": "system_message", "args": {"template": "You are {who}; {this} stays.", "who": "brief"}},
        {"name": "prompt_template", "args": {"template": "{subject}: {prompt} {{now}}"}},
        {"name": "user_message", "args": {"template": "Well?"}},
        {"name": "generate"},
        {"name": "self_critique"},
    ]
    assert rendered(solvers, "1 + {x}?", (), {"subject": "sums"}) == [
        ("system", "You are brief; {this} stays."), ("user", "sums: 1 + {x}? {now}"), ("user", "Well?"),
    ]  # fmt: skip
    (asked,) = rendered([{"name": "chain_of_thought"}, {"name": "generate"}], "1 + 1?", (), {})
    assert asked[1].startswith("\n1 + 1?\n\nBefore answering, reason in a step-by-step manner")
    (asked,) = rendered([{"name": "multiple_choice", "args": {"cot": True}}], "Which?", ("one", "two"), {})
    assert asked[1].endswith("LETTER is one of A,B. Think step by step before answering.\n\nWhich?\n\nA) one\nB) two")


@pytest.mark.parametrize(
    "template", ["{prompt:>999999999}", "{prompt.__class__}", "{prompt!r}", "{prompt[0]}", "{", "{}", "{prompt}" * 30]
)
def test_templates_that_do_more_than_name_things_are_not_written_again(template):
    with pytest.raises(Invalid):
        fill(template, {"prompt": "x" * 1_000_000})


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("hf/org/mt/t_a", ("org/mt", "t_a", "")), ("hf/org/mt/t_a/t_a", ("org/mt", "t_a", "")),
        ("hf/org/mt/t_b@0123abc/t_b", ("org/mt", "t_b", "0123abc")),
        ("hf/org/mt@0123abc/t_b", ("org/mt", "t_b", "0123abc")),
        ("hf/org/pq", ("org/pq", "", "")), ("hf/org/pq@0123abc", ("org/pq", "", "0123abc")), ("mmlu", ("", "", "")),
    ],
)  # fmt: skip
def test_the_name_of_a_task_tells_dataset_task_and_revision(name, said):
    assert parse_task_name(name) == said


PATHS = ["a/test.jsonl", "b/test.jsonl", "data/train-00000-of-00001.parquet", "data/test-00000-of-00001.parquet"]
CARD = {"configs": [{"config_name": "a", "data_files": [{"split": "test", "path": "a/*.jsonl"}]}]}


@pytest.mark.parametrize(
    ("card", "config", "split", "files"),
    [
        (CARD, "a", "test", ["a/test.jsonl"]),
        ({"configs": [{"config_name": "b", "data_dir": "b"}]}, "b", "test", ["b/test.jsonl"]),
        ({"configs": [{"config_name": "c", "data_files": {"test": ["b/test.jsonl"]}}]}, "c", "test", ["b/test.jsonl"]),
        ({}, "default", "train", ["data/train-00000-of-00001.parquet"]),
    ],
)
def test_the_files_of_a_split_are_found_as_the_card_says(card, config, split, files):
    assert split_files(PATHS, card, config, split) == files


@pytest.mark.parametrize(
    ("card", "config"), [(CARD, "b"), ({}, "a"), ({"configs": [{"config_name": "a", "data_files": 7}]}, "a")]
)
def test_what_cannot_be_told_is_not_guessed(card, config):
    with pytest.raises(Invalid):
        split_files(PATHS, card, config, "test")


@pytest.mark.parametrize(
    "place", ["/etc/passwd", "~/x.json", "../x.json", "https://x.org/y.json", "zip://a::b", "\\\\h\\s"]
)
def test_data_on_the_disk_of_whoever_runs_it_or_elsewhere_is_refused(place):
    for said in ({"data_files": [{"split": "test", "path": ["a/test.jsonl", place]}]}, {"data_dir": place}):
        with pytest.raises(Invalid, match="outside of the repo"):
            split_files(PATHS, {"configs": [{"config_name": "a", **said}]}, "a", "test")


@pytest.mark.parametrize(
    ("value", "written", "unit", "same"),
    [
        (0.2592592, "0.2593", "", True), (0.2592592, "0.26", "", False), (0.2592592, "0.3", "", False),
        (0.2592592, "0.259", "", True), (0.2592592, "0.2600", "", False), (0.2592592, "25.93", "%", True),
        (0.2592592, "25.9", "%", True), (0.2592592, "26", "%", False),
        (0.2592592, "25.93", "", False),
        (0.5, "0.5", "", True), (0.0, "0", "", True),
        (0.2592592, "0", "", False), (1.0, "1", "", True), (0.9994, "1", "", False), (0.25, "1e999999", "", False),
    ],
)  # fmt: skip
def test_numbers_are_the_same_to_the_digits_written_three_at_least(value, written, unit, same):
    assert same_number(value, written, unit) is same


@pytest.mark.parametrize(
    ("address", "public_url", "found"),
    [
        ("https://hub.example/lab/tiny/resolve/main/a.eval", "https://hub.example", ("model", "main/a.eval")),
        ("https://hub.example/lab/tiny/blob/main/a%20b.json", "https://hub.example", ("model", "main/a b.json")),
        ("https://hub.example/datasets/lab/q/raw/refs%2Fpr%2F1/a.eval", "https://hub.example",
         ("dataset", "refs/pr/1/a.eval")),
        ("https://hub.example.evil.org/lab/tiny/resolve/main/a.eval", "https://hub.example", None),
        ("https://hub.example/lab/tiny/resolve/main/a.txt", "https://hub.example", None),
        ("https://other.example/lab/tiny/resolve/main/a.eval", "", None),
        ("http://127.0.0.1:8000/lab/tiny/resolve/main/a.eval", "", ("model", "main/a.eval")),
        ("http://[/lab/tiny/resolve/main/a.eval", "", None), ("file:///lab/tiny/resolve/main/a.eval", "", None),
    ],
)  # fmt: skip
def test_addresses_of_this_hub_are_told_from_others(address, public_url, found):
    file = file_of(address, public_url)
    assert (file and (file.type, file.rest)) == found
    assert bool(log_named({}, address, public_url)) is (found is not None)
