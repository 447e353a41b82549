"""What files of evaluation tools say, and nothing more. The tools themselves wrote them (see files/README.md)."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glasshub.errors import Invalid, TooLarge
from glasshub.evals.importers import lm_eval
from glasshub.evals.importers.json_values import moment, number, parse_json
from glasshub.evals.importers.proposal import Complete, Importer, LogFile, Proposal
from glasshub.evals.importers.reading import propose
from tests.importing.samples import (
    CARD,
    EVERY,
    FILES,
    INSPECT,
    LIGHTEVAL,
    LM_EVAL,
    LM_EVAL_CHOICE,
    changed,
    inspect_json,
    read,
)

COMMIT = "76f02246e6061c59c8f05ec81636ea3bb944d32e"


def test_a_log_of_inspect():
    found = read(INSPECT)
    assert (found.tool, found.version, found.model) == ("inspect-ai", "0.3.285", "openai-api/local/tiny")
    assert (found.ending, found.holds_items) == ("eval", True)
    assert found.sha256 == hashlib.sha256(INSPECT.read_bytes()).hexdigest()
    (draft,) = found.drafts
    assert (draft.dataset, draft.task) == ("glasshub/desk-questions", "choice")
    assert draft.revision == "e05919cd87115daf061d60e89978d6a9bbb4f2ed"
    assert (draft.complete, draft.ran, draft.date) == (Complete.YES, "27 of 27 items", "2026-11-24T14:14:34.000Z")
    (measure,) = draft.measures
    assert (measure.name, measure.value, measure.n) == ("choice/accuracy", "0.25925925925925924", 27)
    assert (measure.stderr, measure.headline) == ("0.0859436075726402", True)


def test_a_log_of_inspect_in_json_and_what_it_does_not_say():
    def older(header):
        del header["results"]["headline"]
        header["eval"]["task"] = "hf/glasshub/desk-questions@main"
        header["eval"]["config"]["limit"] = 3
        header["eval"]["dataset"]["sample_ids"] = [1, 2, 3]
        header["eval"]["metadata"] = {"hub_model": "ada/tiny", "hub_model_sha": COMMIT, "hub_dataset_sha": COMMIT[:8]}

    found = propose(LogFile("run.json", inspect_json(older)))
    (draft,) = found.drafts
    assert not draft.measures[0].headline
    assert (draft.task, draft.only_task, draft.revision) == ("", True, COMMIT[:8])
    assert (draft.complete, draft.ran) == (Complete.NO, "3 of 27 items")
    assert (found.model, found.model_revision) == ("ada/tiny", COMMIT)
    assert "names the revision main" in found.remarks[0]

    with pytest.raises(Invalid, match="did not end well"):
        propose(LogFile("run.json", inspect_json(lambda header: header.update(status="error"))))
    with pytest.raises(Invalid, match="marked as invalid"):
        propose(LogFile("run.json", inspect_json(lambda header: header.update(invalidated=True))))
    for value in ("0.5", True, None):
        with pytest.raises(Invalid):
            propose(LogFile("run.json", inspect_json(lambda header, value=value: metric(header).update(value=value))))
    with pytest.raises(Invalid, match=r"choice is nan"):
        propose(LogFile("run.json", inspect_json(lambda header: metric(header).update(value=float("nan")))))


def metric(header):
    return header["results"]["scores"][0]["metrics"]["accuracy"]


def test_results_of_lm_evaluation_harness_with_every_number():
    found = read(LM_EVAL)
    assert (found.tool, found.version, found.model) == ("lm-evaluation-harness", "0.4.13", "ada/tiny")
    (draft,) = found.drafts
    assert (draft.what, draft.dataset, draft.task, draft.config) == (
        "desk_short",
        "glasshub/desk-questions",
        "",
        "short",
    )
    assert (draft.revision, draft.split, draft.complete) == (COMMIT, "test", Complete.YES)
    numbers = [(measure.name, measure.value, measure.stderr[:6], measure.n) for measure in draft.measures]
    assert numbers == [
        ("exact_match,strict", "0.2962962962962963", "0.0895", 27),
        ("exact_match,flexible", "0.5925925925925926", "0.0963", 27),
    ]
    assert [(measure.headline, measure.higher_is_better) for measure in draft.measures] == [(False, True)] * 2
    assert draft.conditions["shots"] == "0"
    assert (draft.conditions["temperature"], draft.conditions["chat_template"]) == ("0.0", "true")
    assert "127.0.0.1" not in str(draft.conditions)  # addresses and keys among the arguments of a model stay out

    (limited,) = read(FILES / "lm-eval-limited.json").drafts
    assert (limited.complete, limited.ran) == (Complete.NO, "5 of 27 items")
    with pytest.raises(Invalid, match=r"results_\*\.json"):
        read(FILES / "lm-eval-samples.jsonl")


def test_groups_old_files_and_numbers_that_are_none():
    def change(document):
        results = document["results"]["desk_choice"]
        results["acc,none"] = float("nan")
        results["f1,none"] = "N/A"
        results["odd,none"] = True
        document["groups"] = {"desk": {"acc,none": 0.5, "acc_stderr,none": "N/A", "alias": "desk"}}
        document["config"]["model_sha"] = COMMIT

    found = changed(LM_EVAL_CHOICE, change)
    assert [draft.what for draft in found.drafts] == ["desk_choice", "desk"]
    assert [measure.name for measure in found.drafts[0].measures] == ["acc_norm,none"]
    assert found.remarks == ("acc,none of desk_choice is nan: that is left out.",)
    assert (found.drafts[1].dataset, found.drafts[1].measures[0].stderr) == ("", "")
    assert found.model_revision == COMMIT

    old = {"results": {"hellaswag": {"acc": 0.5, "acc_stderr": 0.01, "acc_norm": 1}}, "versions": {"hellaswag": 0},
           "config": {"model": "gpt2", "limit": None}}  # fmt: skip
    (draft,) = propose(LogFile("r.json", json.dumps(old).encode())).drafts
    assert [(measure.name, measure.stderr) for measure in draft.measures] == [("acc", "0.01"), ("acc_norm", "")]


def test_results_of_lighteval_dated_by_their_name():
    found = read(LIGHTEVAL)
    assert (found.tool, found.version, found.model) == ("lighteval", "", "ada/tiny")
    short, choice = found.drafts  # the average over both is none of them
    assert (choice.what, choice.dataset, choice.config) == ("desk_choice|0", "glasshub/desk-questions", "choice")
    assert (choice.revision, choice.split, choice.date) == (COMMIT, "test", "2026-11-24T15:38:12.850Z")
    assert [(measure.name, measure.stderr[:6]) for measure in choice.measures] == [("acc", "0.0761"), ("mrr", "0.0538")]
    assert (short.revision, short.complete) == ("", Complete.UNKNOWN)  # it counted no items
    assert read(FILES / "lighteval-limited.json").drafts[0].complete is Complete.NO
    assert read(FILES / "lighteval-limited.json").drafts[0].date == ""

    def older(document):
        document["results"] = {"lighteval|desk|5": {"acc": 0.5, "acc_stderr": 0.1}}
        document["config_general"] = {"model_name": "ada/tiny", "model_sha": COMMIT, "max_samples": None}
        document["config_tasks"] = {
            "lighteval|desk": {"hf_repo": "a/b", "original_num_docs": 9, "effective_num_docs": 9}
        }

    old = changed(LIGHTEVAL, older)
    (draft,) = old.drafts
    assert (old.model_revision, draft.dataset, draft.conditions["shots"]) == (COMMIT, "a/b", "5")
    assert (draft.complete, draft.measures[0].n) == (Complete.YES, 9)


def test_records_of_every_eval_ever():
    found = read(EVERY)
    assert (found.tool, found.version, found.model) == ("every-eval-ever", "0.3.0", "ada/tiny")
    assert [draft.what for draft in found.drafts] == ["desk_short/strict", "desk_short/flexible"]
    draft = found.drafts[0]
    assert (draft.dataset, draft.task, draft.revision) == ("glasshub/desk-questions", "", "")
    assert (draft.complete, draft.date) == (Complete.UNKNOWN, "2026-11-24T15:40:14.000Z")
    assert draft.measures[0].name == "exact_match"
    assert (draft.measures[0].n, draft.measures[0].higher_is_better) == (27, True)
    assert draft.conditions["harness"] == "lm_eval"
    assert read(FILES / "eee-inspect.json").drafts[0].conditions["harness_version"] == "inspect_ai:0.3.285"


def test_claims_of_a_card_where_they_are_numbers():
    found = propose(LogFile("README.md", CARD.encode()))
    assert (found.tool, found.ending, found.model) == ("model-index", "md", "")
    first, second = found.drafts
    assert (first.dataset, first.config, first.revision) == ("glasshub/desk-questions", "choice", "76f0224")
    assert [(measure.name, measure.value) for measure in first.measures] == [("accuracy", "41.25")]
    assert second.dataset == ""  # xsum is a word, no dataset of this hub
    assert any("20.0 +- 1.2 is no number" in remark for remark in found.remarks)
    with pytest.raises(Invalid):
        propose(LogFile("README.md", b"---\nmodel-index: 7\n---\n"))


def test_a_plugin_adds_a_format():
    def read_score(file: LogFile) -> Proposal | None:
        return None if file.data != b"mine" else read(LM_EVAL)

    assert propose(LogFile("x", b"mine"), [Importer("mine", read_score)]).tool == "lm-evaluation-harness"
    with pytest.raises(Invalid, match="Those are: mine, lm-evaluation-harness"):
        propose(LogFile("x", b"other"), [Importer("mine", read_score), lm_eval.IMPORTER])


def bomb() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("header.json", b"[" * (9 * 1024 * 1024))
    return packed.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        b"", b"{}", b"[" * 100_000, b'{"a":' * 50_000, b"[" + b"1," * 2_000_000 + b"1]", bomb(),
        INSPECT.read_bytes()[:-400], INSPECT.read_bytes()[:5000], LM_EVAL.read_bytes()[:-9],
        b'{"results": {"a": {"acc,none": 1e999}}, "versions": {}, "config": {"model": 1}}',
        b'{"results": {"a": 7, "b": {"c,none": ' + b"9" * 400 + b'}}, "versions": {}, "config": {"model": 1}}',
        b'{"results": {}, "versions": {}, "config": {"model": "x"}}',
        json.dumps({"results": {f"t{i}": {"acc,none": 1} for i in range(1001)}, "versions": {},
                    "config": {"model": 1}}).encode(),
    ],
    ids=range(13),
)  # fmt: skip
def test_hostile_files_are_refused(data: bytes):
    with pytest.raises((Invalid, TooLarge)):
        propose(LogFile("x", data))


def test_limits():
    with pytest.raises(TooLarge):
        propose(LogFile("x", bytes(64 * 1024 * 1024 + 1)))
    assert parse_json(b"[" + b" " * (21 * 1024 * 1024) + b"]") is None
    many = {f"m{i},none": i for i in range(300)}
    proposal = changed(LM_EVAL, lambda document: document["results"].update(desk_short=many))
    assert len(proposal.drafts[0].measures) == 200
    assert "only the first 200 numbers" in proposal.remarks[0]


def test_numbers_and_times():
    assert [number(value) for value in (1, 0.1, -0.0, 1e-9)] == ["1", "0.1", "-0.0", "1e-09"]
    assert [number(value) for value in (True, "1", None, float("inf"), 10**400)] == [""] * 5
    assert moment("2026-01-31") == "2026-01-31T00:00:00.000Z"
    assert [moment(value) for value in (0, -1, 1e300, "soon", None, True, [])] == [""] * 7


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
_REAL = [json.loads(path.read_bytes()) for path in (LM_EVAL, LM_EVAL_CHOICE, LIGHTEVAL, EVERY)]
_REAL += [json.loads(inspect_json())]


@given(st.sampled_from(_REAL), st.lists(st.integers(0, 10**6), max_size=6), _JSON)
@settings(max_examples=300, deadline=None)
def test_any_change_of_a_real_file_is_a_proposal_or_refused(document, steps, value):
    answered(json.dumps(replaced(document, steps, value)).encode())


@given(st.binary(max_size=200), st.sampled_from([b"", b"PK\x03\x04", b"---\nmodel-index:\n", b"{"]))
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_a_proposal_or_refused(data, start):
    answered(start + data)


def replaced(document, steps, value):
    """A copy with a value somewhere replaced: each step goes one level down."""
    if not steps or not isinstance(document, dict | list) or not document:
        return value
    keys = sorted(document) if isinstance(document, dict) else list(range(len(document)))
    key = keys[steps[0] % len(keys)]
    copy = document.copy()
    copy[key] = replaced(document[key], steps[1:], value)
    return copy


def answered(data: bytes) -> None:
    try:
        found = propose(LogFile("results_2026-01-01T00-00-00.json", data))
    except (Invalid, TooLarge):
        return
    assert found.drafts
    for draft in found.drafts:
        assert draft.what
        for measure in draft.measures:
            assert abs(float(measure.value)) < float("inf")
            assert measure.name == " ".join(measure.name.split())
        assert all("\n" not in said and len(said) <= 600 for said in draft.conditions.values())


def test_the_list_of_files_names_all_of_them():
    told = (Path(FILES) / "README.md").read_text("utf-8")
    assert [path.name for path in FILES.iterdir() if path.name != "README.md" and f"`{path.name}`" not in told] == []
