"""Every state that a result with a token can have, and what a token must not be used for."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from glasshub.errors import Invalid
from glasshub.verify import token
from glasshub.verify.digests import TreeFile, content_sha256, is_content, spec_sha256
from glasshub.verify.states import Finding, State, decide
from tests.verify.statements import CLAIMED, DATASET, MODEL, claims, new_key


def finding(
    *,
    claimed=CLAIMED,
    model=MODEL,
    dataset=DATASET,
    recorded=True,
    revoked="",
    window=None,
    holder="bench-1",
    **changes,
) -> Finding:
    private, key = new_key(holder, **(window or {}))
    text = token.sign(claims(**changes), private)
    keys = {key.kid: key}
    return decide(text, claimed, keys=keys, model=model, dataset=dataset, recorded=recorded, revoked=revoked)


def test_a_run_on_weights_is_verified_and_says_by_whom():
    found = finding()
    assert (found.state, found.runner) == (State.VERIFIED, "bench-1")
    assert "60 of 60 items, inspect-ai 0.3.285" in found.reason


def test_a_run_on_an_endpoint_says_so():
    found = finding(model__served="endpoint")
    assert found.state is State.ENDPOINT
    assert found.state.counts
    assert "proves less than weights" in found.reason


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"claimed": replace(CLAIMED, value=0.751)}, "the result 0.751"),
        ({"claimed": replace(CLAIMED, value=0.75 + 1e-12)}, "The token says"),
        ({"claimed": replace(CLAIMED, task_id="order")}, "another task"),
        ({"claimed": replace(CLAIMED, dataset_revision="c" * 40)}, "of the dataset, not ccccccc"),
        ({"model": replace(MODEL, names=frozenset({"eve/copy"}))}, "another model"),
        ({"model": replace(MODEL, has_commit=False)}, "not in this model's history"),
        ({"dataset": replace(DATASET, names=frozenset({"eve/easy"}))}, "another dataset"),
        ({"dataset": replace(DATASET, has_commit=False)}, "not in the dataset's history"),
        ({"dataset": None}, "another dataset"),
    ],
)
def test_a_token_that_speaks_of_something_else_earns_nothing(change, words):
    found = finding(**change)
    assert found.state is State.MISMATCH
    assert not found.state.counts
    assert words in found.reason


def test_renamed_repos_keep_what_they_earned():
    model = replace(MODEL, names=frozenset({"mara/tiny", "mara/tiny-v2"}))
    assert finding(model=model).state is State.VERIFIED


@pytest.mark.parametrize(
    ("window", "words"),
    [
        (
            {"revoked_at": "2026-06-01T00:00:00.000Z", "reason": "laptop stolen"},
            "revoked as of 2026-06-01.*laptop stolen",
        ),
        ({"not_before": "2026-10-01T00:00:00.000Z"}, "before the key of bench-1 counted"),
    ],
)
def test_a_key_covers_only_its_window(window, words):
    found = finding(window=window)
    assert found.state is State.REVOKED
    assert re.search(words, found.reason)


def test_a_key_revoked_later_still_covers_what_it_signed_before():
    assert finding(window={"revoked_at": "2026-11-01T00:00:00.000Z"}).state is State.VERIFIED


def test_a_token_that_the_hub_never_recorded_is_not_verified():
    assert finding(recorded=False).state is State.UNRECORDED


def test_a_run_that_was_revoked_says_why():
    found = finding(revoked="the machine was not ours")
    assert (found.state, "the machine was not ours" in found.reason) == (State.REVOKED, True)


def test_the_badge_says_what_the_run_could_reach():
    assert "hub and model only" in finding(runner__network="isolated").reason
    assert "not enforced" in finding(runner__network="proxies").reason


def test_changed_weights_and_changed_benchmarks_are_told_apart():
    assert finding(model=replace(MODEL, content="9" * 64)).state is State.OLDER_WEIGHTS
    assert finding(dataset=replace(DATASET, content="9" * 64)).state is State.OLDER_BENCHMARK
    assert finding(dataset=replace(DATASET, spec="9" * 64)).state is State.OLDER_BENCHMARK
    assert finding(dataset=replace(DATASET, spec="")).state is State.OLDER_BENCHMARK


def test_a_runner_signs_for_itself_only():
    assert finding(holder="bench-2").state is State.INVALID


def test_tokens_of_other_hubs_are_never_verified():
    # The example of the public client's documentation begins like this one.
    for text in ("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.e30.AAAA", "hello"):
        found = decide(text, CLAIMED, keys={}, model=MODEL, dataset=DATASET, recorded=True)
        assert found.state is State.FOREIGN
        assert found.reason.startswith("Issued elsewhere, not checkable here.")


def test_the_digest_of_content_leaves_out_what_is_only_told_about_it():
    files = [TreeFile("model.safetensors", 0o100644, "1" * 40), TreeFile("config.json", 0o100644, "2" * 40)]
    told = [
        TreeFile(path, 0o100644, "3" * 40)
        for path in ("README.md", "LICENSE", ".gitattributes", ".eval_results/a.yaml", ".eval_logs/x.eval", "eval.yaml")
    ]
    assert content_sha256(files) == content_sha256([*told, *reversed(files)])
    assert content_sha256(files) != content_sha256([files[0], files[1]._replace(oid="4" * 40)])
    assert content_sha256(files) != content_sha256([files[0], files[1]._replace(mode=0o100755)])


@pytest.mark.parametrize("path", ["data/README.md", "LICENSE.safetensors", ".eval_logs/w.safetensors", "sub/eval.yaml"])
def test_weights_cannot_hide_under_a_name_that_is_left_out(path):
    assert is_content(path)


def test_the_digest_of_a_task_does_not_depend_on_the_order_of_keys():
    assert spec_sha256({"id": "a", "epochs": 1}, None) == spec_sha256({"epochs": 1, "id": "a"}, {})
    assert spec_sha256({"id": "a", "epochs": 1}, None) != spec_sha256({"id": "a", "epochs": 2}, None)
    assert spec_sha256({"id": "a"}, None) != spec_sha256({"id": "a"}, {"data_files": "easy.jsonl"})
    with pytest.raises(Invalid):
        spec_sha256({"seed": 2**60}, None)
