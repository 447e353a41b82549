"""Events in, discussions out: whatever the events say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glasshub import conversation
from glasshub.errors import Invalid
from glasshub.events import (
    MAX_BODY,
    Event,
    EventType,
    check_body,
    check_reason,
    check_title,
    from_message,
    new_event,
    to_message,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
KEYS = st.sampled_from(
    ["title", "body", "comment", "status", "pull", "results", "result", "about", "to", "new", "head"]
)
IDS = st.integers(0, 5).map(lambda n: f"{n:024x}")
EVENTS = st.lists(
    st.builds(
        Event,
        IDS,
        st.sampled_from(EventType),
        st.integers(0, 3),
        st.text(max_size=5),
        st.just("2026-01-01T00:00:00.000Z"),
        st.dictionaries(KEYS, JSON | IDS | st.sampled_from(["open", "closed", "draft"]), max_size=5),
    ),
    max_size=30,
)


@given(EVENTS)
def test_any_events_make_discussions(events: list[Event]):
    found = conversation.discussions(events)
    assert set(found) <= {1, 2, 3}
    for discussion in found.values():
        assert discussion.status in ("draft", "open", "closed", "merged")
        assert discussion.timeline[0].type is EventType.OPENED
        assert all(comment.id in discussion.comments for comment in discussion.comments.values())
    conversation.hidden_results(events)


@given(EVENTS)
def test_an_event_reads_back_as_it_was_written(events: list[Event]):
    for event in events:
        assert from_message(to_message(event)) == event


@given(st.text(max_size=200))
def test_no_message_is_a_stumbling_block(text: str):
    from_message(text)
    from_message(f"opened #1\n\n{text}")


def test_comments_keep_their_former_texts():
    opened = new_event(EventType.OPENED, 1, "eve", title="Hm", body="one")
    edits = [new_event(EventType.EDITED, 1, "eve", comment=opened.id, body=text) for text in ("two", "three")]
    hidden = new_event(EventType.COMMENT_HIDDEN, 1, "ada", comment=opened.id, reason="rude")
    (comment,) = conversation.discussions([opened, *edits, hidden])[1].comments.values()
    assert comment.body == "three"
    assert [text for _, text in comment.history] == ["one", "two"]
    assert (comment.edited, comment.hidden, comment.hidden_by, comment.hidden_reason) == (True, True, "ada", "rude")


def test_merged_is_for_good():
    events = [new_event(EventType.OPENED, 1, "eve", title="Hm", pull=True), new_event(EventType.MERGED, 1, "ada")]
    events.append(new_event(EventType.STATUS, 1, "ada", status="open"))
    assert conversation.discussions(events)[1].status == "merged"


@pytest.mark.parametrize("text", ["", " \n\t", "x" * 201, "\x00"])
def test_titles_are_one_short_line(text: str):
    with pytest.raises(Invalid):
        check_title(text)


def test_texts_are_cleaned_and_bounded():
    assert check_title(" a\r\nb\x1b[0m\u202e ") == "a b [0m"
    assert check_body("a\r\nb\x00\x1b\n") == "a\nb"
    assert check_reason("a\nb") == "a b"
    with pytest.raises(Invalid):
        check_body("x" * (MAX_BODY + 1))
    with pytest.raises(Invalid):
        check_body(" ", required=True)


def test_a_merge_whose_results_are_no_list_is_still_a_merge():
    opened = new_event(EventType.OPENED, 1, "eve", title="Hm", pull=True)
    for results in (None, 7, "text", [None, 7]):
        merged = Event("a" * 24, EventType.MERGED, 1, "ada", opened.date, {"results": results})
        assert conversation.discussions([opened, merged])[1].status == "merged"
