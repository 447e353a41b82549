"""Discussions as JSON: every kind of event, hidden and erased words, names that are gone."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from huggingface_hub.community import DiscussionComment, DiscussionCommit, deserialize_event

from glasshub.conversation import Status, discussions
from glasshub.events import Event, EventType, redacted
from glasshub.identity import Repo
from glasshub.index.rows import DiscussionRow
from glasshub.web.api.discussion_json import View, change_json, details_json, row_json, status_json

REPO = Repo("0" * 24, "model", "ada", "m", False, "2026-01-01T00:00:00.000Z", "ada")
EVERYTHING = View(render=lambda text: f"<p>{text}</p>", reads=lambda _: True)
OUTSIDE = View(render=lambda text: f"<p>{text}</p>", reads=lambda _: False)
OID = "a" * 40


def event(n: int, type: str, actor: str = "ada", **data: Any) -> Event:
    return Event(f"{n:024x}", EventType(type), 1, actor, f"2026-01-01T00:00:{n:02d}.000Z", data)


OPENED = event(1, "opened", "eve", pull=True, title="T", body="First", base="refs/heads/main", head=OID,
               commits=[{"oid": "b" * 40, "subject": "One"}, {"oid": OID, "subject": "Two"}])  # fmt: skip
STORY = [
    OPENED,
    event(2, "commented", body="Second"),
    event(3, "edited", comment=f"{2:024x}", body="Second, better"),
    event(4, "retitled", **{"from": "T", "to": "U"}),
    event(5, "pushed", "eve", old=OID, new="c" * 40, commits=[{"oid": "c" * 40, "subject": "Three"}]),
    event(6, "pushed", "eve", old="c" * 40, new="d" * 40, forced=True, commits=[{"oid": "d" * 40, "subject": "Four"}]),
    event(7, "status", status="closed"),
    event(8, "head-deleted", head="d" * 40),
    event(9, "pinned"),
    event(10, "unpinned"),
    event(11, "locked", reason="Heated"),
    event(12, "unlocked"),
    event(13, "status", status="open"),
    event(14, "comment-hidden", comment=f"{2:024x}", reason="Rude"),
    event(15, "merged", how="squash", commit="e" * 40, onto=OID, head="d" * 40),
    event(16, "erased", reason="Asked for", events=["x"]),
]


def details(*events: Event, view: View = EVERYTHING) -> dict[str, Any]:
    return details_json(discussions(events)[1], REPO, view)


def test_every_kind_of_event_is_told_once_and_in_order():
    found = details(*STORY)
    told = [(item["type"], item.get("author", {}).get("name")) for item in found["events"]]
    assert told == [
        ("comment", "eve"), ("commit", "eve"), ("commit", "eve"), ("comment", "ada"), ("title-change", "ada"),
        ("commit", "eve"), ("reference-update", "eve"), ("commit", "eve"), ("status-change", "ada"),
        ("reference-update", "ada"), ("pinning-change", "ada"), ("pinning-change", "ada"), ("locking-change", "ada"),
        ("locking-change", "ada"), ("status-change", "ada"), ("status-change", "ada"), ("erased", "ada"),
    ]  # fmt: skip
    assert len({item["id"] for item in found["events"]}) == len(told)
    assert found == details(*STORY)
    parsed = [deserialize_event(item) for item in found["events"]]
    assert [item.summary for item in parsed if isinstance(item, DiscussionCommit)] == ["One", "Two", "Three", "Four"]
    assert parsed[4].new_title == "U"
    assert (parsed[8].new_status, parsed[15].new_status) == ("closed", "merged")
    assert found["changes"] == {"base": "refs/heads/main", "head": "d" * 40, "mergeCommitId": "e" * 40}
    assert (found["title"], found["status"], found["headDeleted"]) == ("U", "merged", True)


def test_every_type_of_event_has_a_place_in_this_test():
    about_results = {EventType.RESULT_HIDDEN, EventType.RESULT_SHOWN, EventType.SQUASHED, EventType.COMMITTED}
    assert {item.type for item in STORY} | about_results | {EventType.COMMENT_SHOWN} == set(EventType)
    for type in about_results:  # they are about no discussion; if one came here, nothing would break
        assert change_json(event(1, type, result="x"))["type"] == str(type)


def test_an_edited_comment_shows_its_history():
    comment = deserialize_event(details(*STORY[:3])["events"][3])
    assert isinstance(comment, DiscussionComment)
    assert (comment.content, comment.edited, comment.rendered) == ("Second, better", True, "<p>Second, better</p>")
    assert [item["raw"] for item in comment.edit_history] == ["Second"]
    assert comment.last_edited_at.second == 3
    assert comment.created_at.second == 2


def test_hidden_words_are_for_some_only():
    events = (*STORY[:3], event(14, "comment-hidden", comment=f"{2:024x}", reason="Rude"))
    inside, outside = (details(*events, view=view)["events"][3]["data"] for view in (EVERYTHING, OUTSIDE))
    assert inside["latest"]["raw"] == "Second, better"
    assert outside["hidden"]
    assert (outside["hiddenBy"], outside["hiddenReason"]) == ("ada", "Rude")
    assert "Second" not in str(outside)
    shown = details(*events, event(15, "comment-shown", comment=f"{2:024x}"), view=OUTSIDE)["events"][3]["data"]
    assert (shown["hidden"], shown["latest"]["raw"]) == (False, "Second, better")


def test_erased_words_and_names_are_left_out():
    gone = [redacted(item, author=True) for item in STORY[:4]]
    found = details(*gone)
    assert "author" not in found
    assert found["title"] == "(erased)"
    assert "First" not in str(found)
    assert "Second" not in str(found)
    parsed = [deserialize_event(item) for item in found["events"]]
    assert {item.author for item in parsed} == {"deleted"}
    assert found["events"][0]["data"]["erased"] is True
    parsed[0].last_edited_by  # noqa: B018 - clients compute it from what is there


@pytest.mark.parametrize("status", get_args(Status))
def test_rows_of_lists(status: str):
    row = DiscussionRow(REPO.key, 7, True, "T", "", status, "2026-01-01T00:00:01.000Z", "x", 3, False, True)
    item = row_json(row, REPO)
    assert "author" not in item
    assert (item["num"], item["status"], item["isPullRequest"], item["numComments"]) == (7, status, True, 3)
    assert item["repo"] == {"name": "ada/m", "type": "model"}


def test_the_status_it_has_is_told_as_the_event_that_made_it_so():
    opened, closed = discussions(STORY[:1])[1], discussions(STORY[:8])[1]
    assert status_json(opened)["data"] == {"status": "open"}
    assert status_json(opened)["id"] == OPENED.id
    assert (status_json(closed)["data"], status_json(closed)["id"]) == ({"status": "closed"}, f"{7:024x}")


@pytest.mark.parametrize("commits", ["text", [1], [None], {"a": 1}, [{"oid": 5}]])
def test_odd_records_break_nothing(commits):
    details(event(1, "opened", pull=True, commits=commits))
