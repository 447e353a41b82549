"""The community tab: lists, conversations, and what each person sees and may do there."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from itertools import count

import pytest

from glasshub import discussions, erasure, pulls, repos
from glasshub.accounts import actor_for
from glasshub.web.pages import discussions_page
from tests.pages.forum import DATASET, MODEL, OUTSIDE, PEOPLE, Forum, answers, build_forum
from tests.pages.markup import faults
from tests.pages.site import png

HERE = f"/{MODEL}/discussions"
HOSTILE = '<script>alert(1)</script><img src=x onerror=alert(1)> "quoted" \u202e'
_titles = count()


@pytest.fixture(scope="module")
def forum(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forum]:
    built = build_forum(tmp_path_factory.mktemp("forum"))
    yield built
    built.hub.close()


@pytest.fixture(scope="module", params=["public", "private"])
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forum]:
    """A hub for the table of permissions, whose model is public or private."""
    built = build_forum(tmp_path_factory.mktemp("place"), private=request.param == "private")
    yield built
    built.hub.close()


def words(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html.split("<main", 1)[1].split("</main>")[0]))


def opened(forum: Forum, who: str = "sam", body: str = "Hello", title: str = "") -> int:
    title = title or f"Question {next(_titles)}"
    return forum.decide(who, discussions.open_discussion, title=title, body=body).number


def said(forum: Forum, number: int, who: str, body: str) -> str:
    """The id of a new comment."""
    return forum.decide(who, discussions.comment, number=number, body=body).events[-1].id


def buttons(html: str) -> set[str]:
    """What may be pressed or opened in the main part of a page."""
    main = html.split("<main", 1)[1].split("</main>")[0].split('class="tabs"', 1)[1]
    found = re.findall(r"<button[^>]*>([^<]+)</button>", main) + re.findall(r"<summary[^>]*>([^<]+)<", main)
    return {label.strip() for label in found} - {"Copy"}


# Lists --------------------------------------------------------------------------------------------------------------


def test_a_repo_without_discussions_says_how_to_begin(forum: Forum):
    html = forum.get("/ada/large/discussions")
    assert "Nothing has been discussed yet" in html
    assert 'href="/ada/large/discussions/new"' in html
    assert faults(html) == []


def test_an_empty_list_says_what_is_true_of_it(forum: Forum):
    repo = repos.create(forum.hub, actor_for(forum.hub, "ada"), "model", "lab", "quiet")
    here = f"/{repo.repo_id}/discussions"
    for status in ("open", "closed", "all"):
        assert "Nothing has been discussed yet" in forum.get(f"{here}?status={status}")
    number = forum.decide("sam", discussions.open_discussion, repo=repo, title="Shots?", body="Which?").number
    assert "Nothing is closed" in forum.get(f"{here}?status=closed")
    assert "Shots?" in forum.get(here)
    forum.decide("ada", discussions.set_status, repo=repo, number=number, status="closed")
    assert "Nothing is open" in forum.get(here)
    for asked in ("status=all", "status=closed"):
        assert "Shots?" in forum.get(f"{here}?{asked}")
        assert "The list ends before this page" in forum.get(f"{here}?{asked}&start=25")
    for asked in ("status=all&q=nobody", "status=closed&author=mo", "type=pull_request"):
        html = forum.get(f"{here}?{asked}")
        assert "Nothing matches" in html
        assert "yet" not in words(html)
    for asked in ("", "?status=closed&start=25", "?type=pull_request"):
        assert faults(forum.get(here + asked)) == []


def test_the_list_shows_open_ones_pinned_first_and_filters_by_address(forum: Forum):
    first = opened(forum, title="Zebra one")
    second = opened(forum, title="Zebra two", who="mo")
    third = forum.propose("sam", {"zebra.txt": "z"}, title="Zebra three")
    forum.decide("wil", discussions.set_pinned, number=first, pinned=True)
    forum.decide("mo", discussions.set_status, number=second, status="closed")

    def listed(query: str) -> list[int]:
        html = forum.get(f"{HERE}?q=zebra&{query}")
        return [int(number) for number in re.findall(rf'href="{HERE}/(\d+)"', html)]

    assert listed("") == [first, third]
    assert listed("status=closed") == [second]
    assert listed("status=all") == [first, third, second]
    assert listed("status=all&type=discussion") == [first, second]
    assert listed("status=all&type=pull_request") == [third]
    assert listed("status=all&author=MO") == [second]
    assert "Nothing matches" in forum.get(f"{HERE}?q=nowhere")
    assert "is one of" in forum.get(f"{HERE}?status=sideways", status=400)
    assert faults(forum.get(f"{HERE}?status=all")) == []


@pytest.mark.slow
def test_the_tab_counts_open_ones_and_long_lists_have_pages(forum: Forum):
    repo = repos.find(forum.hub, "dataset", *DATASET.split("/"))
    for number in range(27):
        forum.decide("mo", discussions.open_discussion, repo=repo, title=f"Number {number}", body="")
    html = forum.get(f"/datasets/{DATASET}/discussions")
    assert "Community 27" in re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))
    following = re.search(r'href="([^"]+)" rel="next"', html)
    assert following is not None
    assert ">Number 26<" in html
    assert ">Number 1<" not in html
    assert ">Number 1<" in forum.get(following[1].replace("&amp;", "&"))


# Reading ------------------------------------------------------------------------------------------------------------


def test_comments_are_rendered_and_what_they_refer_to_is_linked(forum: Forum):
    other = opened(forum)
    commit = forum.push("model", MODEL, {"notes.txt": str(other)}, message="Note")
    shown = forum.get(f"/{MODEL}")
    text = f"**@ada** see #{other}, {commit}, {commit[:9]}, https://example.org/x and #9999, @nobody.\nNext line"
    html = forum.get(f"{HERE}/{opened(forum, body=text)}")
    for address in ("/ada", f"{HERE}/{other}", f"/{MODEL}/commit/{commit}", "https://example.org/x"):
        assert f'href="{address}"' in html
    assert html.count(f'href="/{MODEL}/commit/{commit}"') >= 2
    assert "/discussions/9999" not in html
    assert "@nobody" in html
    assert "<br" in html
    assert "<strong>" in html
    assert shown


@pytest.mark.slow
def test_ids_of_results_lead_to_the_line_that_says_them(forum: Forum):
    from glasshub.access import Visibility
    from glasshub.index import queries

    (found,) = [
        r for r in queries.results_of_model(forum.hub.index.read(), Visibility(), forum.model.key) if not r.pull
    ]
    html = forum.get(f"{HERE}/{opened(forum, body=f'Is {found.id} right?')}")
    assert f'href="/{MODEL}/blob/{found.commit}/{found.path}#L{found.line}"' in html


@pytest.mark.slow
def test_hostile_words_do_no_harm_anywhere(forum: Forum):
    number = opened(forum, body=HOSTILE, title=f"Bad {HOSTILE}"[:190])
    comment = said(forum, number, "mo", HOSTILE)
    forum.decide("mo", discussions.edit_comment, number=number, comment_id=comment, body=f"{HOSTILE} again")
    forum.decide("wil", discussions.hide_comment, number=number, comment_id=comment, reason=HOSTILE)
    forum.decide("wil", discussions.set_locked, number=number, locked=True, reason=HOSTILE)
    forum.decide("wil", discussions.retitle, number=number, title=f"Worse {HOSTILE}")
    for path in (HERE, f"{HERE}/{number}"):
        for user in PEOPLE:
            html = forum.get(path, user)
            assert "<script>alert" not in html
            assert "<img src=x" not in html
            assert "onerror=alert(1)>" not in html.replace("&gt;", "~")
            assert faults(html) == []


@pytest.mark.slow
def test_the_timeline_tells_what_happened_in_order(forum: Forum):
    number = forum.propose("sam", {"t.txt": "1"}, title="Timeline")
    forum.update("sam", number, {"t.txt": "2"})
    said(forum, number, "mo", "A word between")
    forum.update("sam", number, {"t.txt": "3"}, anew=True)
    forum.decide("sam", discussions.retitle, number=number, title="Better title")
    forum.decide("sam", discussions.set_status, number=number, status="draft")
    forum.decide("sam", discussions.set_status, number=number, status="open")
    forum.decide("wil", discussions.set_status, number=number, status="closed", comment="Not now")
    forum.decide("wil", discussions.set_status, number=number, status="open")
    forum.decide("wil", pulls.merge, number=number, how="squash")
    forum.decide("sam", pulls.delete_head, number=number)
    text = words(forum.get(f"{HERE}/{number}"))
    told = [
        "sam proposed", "sam pushed 1 commit", "A word between", "sam force-pushed",
        "changed the title from Timeline to", "made this a draft", "marked this as ready", "Not now",
        "wil closed this", "wil reopened this", "wil merged this into main as", "squashed into one commit",
        "sam deleted the ref",
    ]  # fmt: skip
    places = [text.index(phrase) for phrase in told]
    assert places == sorted(places)


@pytest.mark.slow
def test_edited_comments_keep_their_former_texts_to_be_seen(forum: Forum):
    number = opened(forum)
    comment = said(forum, number, "mo", "first words")
    status, html = forum.post(f"{HERE}/{number}/comment/{comment}/edit", "mo", body="second words")
    assert status == 303
    for user in PEOPLE:
        html = forum.get(f"{HERE}/{number}", user)
        assert "1 former version" in html
        assert "first words" in html
        assert "<p>second words</p>" in html


@pytest.mark.slow
def test_hidden_comments_are_folded_and_read_by_their_author_and_moderators_only(forum: Forum):
    number = opened(forum)
    comment = said(forum, number, "mo", "old secret")
    forum.decide("mo", discussions.edit_comment, number=number, comment_id=comment, body="new secret")
    assert forum.post(f"{HERE}/{number}/comment/{comment}/hide", "wil", reason="Advertising")[0] == 303
    for user, reads in ((None, False), ("sam", False), ("mo", True), ("wil", True), ("ada", True)):
        html = forum.get(f"{HERE}/{number}", user)
        assert "Hidden by" in html
        assert "Advertising" in html
        assert ("new secret" in html) is reads
        assert ("old secret" in html) is reads
    assert str(number) not in re.findall(rf'{HERE}/(\d+)"', forum.get(f"{HERE}?q=secret"))
    assert forum.post(f"{HERE}/{number}/comment/{comment}/show", "mo")[0] == 403
    assert forum.post(f"{HERE}/{number}/comment/{comment}/show", "wil")[0] == 303
    assert "new secret" in forum.get(f"{HERE}/{number}")


@pytest.mark.slow
def test_erased_text_is_gone_and_said_to_be(forum: Forum):
    number = opened(forum)
    comment = said(forum, number, "mo", "a street and a number")
    actor = actor_for(forum.hub, "ada")
    admin = type(actor)(actor.name, actor.roles, True, "write")
    erasure.erase_events(forum.hub, admin, forum.model, [comment], reason="Personal")
    for user in PEOPLE:
        html = forum.get(f"{HERE}/{number}", user)
        assert "street" not in html
        assert "erased by an admin" in html


@pytest.mark.slow
def test_a_long_conversation_has_pages_and_opens_at_its_end(forum: Forum, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(discussions_page, "PER_PAGE", 3)
    number = opened(forum, body="The beginning")
    for n in range(8):
        said(forum, number, "mo", f"word-{n}.")
    html = forum.get(f"{HERE}/{number}")
    assert re.findall(r"word-\d", html) == ["word-5", "word-6", "word-7"]
    assert "The beginning" in html
    earlier = re.search(r'href="([^"]+start=\d+)">5 earlier', html)
    assert earlier is not None
    html = forum.get(earlier[1])
    assert re.findall(r"word-\d", html) == ["word-2", "word-3", "word-4"]
    assert "Later ones" in html
    assert re.findall(r"word-\d", forum.get(f"{HERE}/{number}?start=0")) == ["word-0", "word-1", "word-2"]


@pytest.mark.slow
def test_what_is_not_there_is_not_found(forum: Forum):
    for path in (f"{HERE}/99999", f"{HERE}/0", f"{HERE}/{10**12}", f"{HERE}/x", "/lab/none/discussions"):
        assert forum.client().get(path).status_code == 404
    number = opened(forum)
    assert "not a pull request" in forum.get(f"{HERE}/{number}/files", status=404)
    assert forum.post(f"{HERE}/{number}/comment/abc/edit", "mo", body="x")[0] == 404


def test_discussions_of_a_private_repo_do_not_exist_for_others(forum: Forum):
    forum.push("model", "lab/secret", {"README.md": "# Hush\n"}, private=True)
    repo = repos.find(forum.hub, "model", "lab", "secret")
    forum.decide("ada", discussions.open_discussion, repo=repo, title="Hush", body="")
    for path in ("/lab/secret/discussions", "/lab/secret/discussions/1", "/lab/secret/discussions/new"):
        forum.get(path, "mo", status=404)
        forum.get(path, "wil")
    assert forum.post("/lab/secret/discussions/1/comment", "mo", comment="x")[0] == 404
    assert forum.post("/lab/secret/discussions/new", "mo", title="x")[0] == 404


# Writing ------------------------------------------------------------------------------------------------------------


def test_anybody_signed_in_opens_a_discussion_and_bad_input_keeps_the_text(forum: Forum):
    answer = forum.client().get(f"{HERE}/new")
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/login?next=")
    assert faults(forum.get(f"{HERE}/new", "mo")) == []
    status, html = forum.post(f"{HERE}/new", "mo", title="Why so small?", body="Is it?")
    assert status == 303
    assert "Why so small?" in words(html)
    status, html = forum.post(f"{HERE}/new", "mo", title="  ", body="long text that must stay")
    assert status == 400
    assert "Give it a title" in html
    assert "long text that must stay" in html
    assert forum.post(f"{HERE}/new", None, title="x")[0] == 401


@pytest.mark.slow
def test_a_comment_is_added_and_one_that_is_refused_stays_in_its_form(forum: Forum):
    number = opened(forum)
    status, html = forum.post(f"{HERE}/{number}/comment", "mo", comment="Well **said**.")
    assert status == 303
    assert "Well <strong>said</strong>." in html
    status, html = forum.post(f"{HERE}/{number}/comment", "mo", comment=" ")
    assert (status, "The comment is empty" in html) == (400, True)
    forum.decide("wil", discussions.set_locked, number=number, locked=True)
    status, html = forum.post(f"{HERE}/{number}/comment", "mo", comment="Too late, but long")
    assert status == 403
    assert "locked" in html


@pytest.mark.slow
def test_a_picture_comes_along_with_a_comment(forum: Forum):
    number = opened(forum)
    picture = (io.BytesIO(png()), "a <b>.png", "image/png")
    status, html = forum.post(f"{HERE}/{number}/comment", "mo", comment="Look:", attachment=picture)
    assert status == 303
    found = re.search(r'<img[^>]* src="(/uploads/[0-9a-f]{32}\.png)"', html)
    assert found is not None
    with forum.client().get(found[1]) as answer:
        assert answer.data == png()
    page = (io.BytesIO(b"<script>"), "a.html", "text/html")
    status, html = forum.post(f"{HERE}/{number}/comment", "mo", comment="Keep these words", attachment=page)
    assert status == 400
    assert "are not taken" in html
    assert "Keep these words" in html


def send(forum: Forum, path: str, name: str, size: int, *, who: str | None = "mo") -> tuple[int, str]:
    """A form with a comment and a film of zeros, as bytes: the test client would leave its temporary files open."""
    client = forum.client(who)
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/settings" if who else "/login").text)[1]
    fields = {"csrf_token": token, "comment": f"Film of {size}"}
    parts = [f'--x\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n' for key, value in fields.items()]
    parts.append(
        f'--x\r\nContent-Disposition: form-data; name="{name}"; filename="a.mp4"\r\nContent-Type: video/mp4\r\n\r\n'
    )
    body = "".join(parts).encode() + bytes(size) + b"\r\n--x--\r\n"
    answer = client.post(path, data=body, content_type="multipart/form-data; boundary=x")
    return answer.status_code, answer.text


@pytest.mark.slow
def test_an_attachment_may_be_as_large_as_the_setting_says_and_no_larger(forum: Forum):
    number = opened(forum)
    most = forum.hub.settings.max_upload_bytes
    for size, code, told in [
        (most, 303, ""),
        (most + 1, 413, f"The file has more than {most:,} bytes"),
        (most + 20_000_000, 413, "Go back and send less, or a smaller file"),
    ]:
        status, html = send(forum, f"{HERE}/{number}/comment", "attachment", size)
        assert (status, told in html) == (code, True), size
    assert len(forum.discussion(number).timeline) == 2
    assert send(forum, f"{HERE}/{number}/comment", "attachment", 17 * 1024**2, who=None)[0] == 413
    status, html = send(forum, f"/{MODEL}/import", "file", 17 * 1024**2)
    assert (status, "at most 16,777,216 bytes are taken here" in html) == (413, True)


def test_forms_from_elsewhere_are_refused(forum: Forum):
    number = opened(forum)
    for path in ("comment", "status", "merge", "title", "pin", "lock", "delete-head"):
        answer = forum.client("ada").post(f"{HERE}/{number}/{path}", data={"comment": "x", "title": "y"})
        assert answer.status_code == 403
    assert len(forum.discussion(number).timeline) == 1


@pytest.mark.slow
def test_titles_change_and_discussions_close_with_a_comment_and_reopen(forum: Forum):
    number = opened(forum, who="mo")
    assert "Renamed" in forum.post(f"{HERE}/{number}/title", "mo", title="Renamed")[1]
    status, html = forum.post(f"{HERE}/{number}/title", "mo", title="Renamed")
    assert (status, "same as before" in html) == (400, True)
    html = forum.post(f"{HERE}/{number}/status", "mo", status="closed", comment="Solved.")[1]
    assert words(html).index("Solved.") < words(html).index("mo closed this")
    assert "mo reopened this" in words(forum.post(f"{HERE}/{number}/status", "mo", status="open")[1])
    forum.post(f"{HERE}/{number}/status", "wil", status="closed")
    assert "Reopen" not in buttons(forum.get(f"{HERE}/{number}", "mo"))
    assert forum.post(f"{HERE}/{number}/status", "mo", status="open")[0] == 403
    assert "Reopen" in buttons(forum.get(f"{HERE}/{number}", "wil"))


@pytest.mark.slow
def test_a_lock_leaves_its_author_able_to_close(forum: Forum):
    number = opened(forum, who="mo")
    assert forum.post(f"{HERE}/{number}/lock", "wil", locked="1", reason="Heated")[0] == 303
    html = forum.get(f"{HERE}/{number}", "mo")
    assert "Heated" in html
    assert {"Close"} <= buttons(html)
    assert "Comment" not in buttons(html)
    assert forum.post(f"{HERE}/{number}/status", "mo", status="closed")[0] == 303
    assert forum.post(f"{HERE}/{number}/lock", "wil", locked="0")[0] == 303
    assert not forum.discussion(number).locked


SEEN = {
    None: set(),
    "mo": {"Comment"},
    "rea": {"Comment"},
    "sam": {"Comment", "Close", "Change the title", "Edit", "Hide"},
    "wil": {"Comment", "Close", "Change the title", "Hide", "Pin to the top of the list", "Lock"},
}
SEEN["ada"] = SEEN["wil"]
OFFERED = set().union(*SEEN.values()) | {"Reopen", "Unlock", "Unpin", "Show it again"}


@pytest.mark.slow
@pytest.mark.parametrize("user", PEOPLE)
def test_each_is_offered_what_they_may_do(place: Forum, user: str | None):
    number = opened(place)
    if place.model.private and user in OUTSIDE:
        for path in (HERE, f"{HERE}/{number}", f"{HERE}/new", f"/{MODEL}"):
            assert "Hello" not in place.get(path, user, 404)
        return
    html = place.get(f"{HERE}/{number}", user)
    assert buttons(html) & OFFERED == SEEN[user]
    assert ("Sign in</a> to comment" in html) is (user is None)


# What a POST does for each person: 303 when it is done, else why not.
DONE = {
    "comment": ({"comment": "x"}, (401, 303, 303, 303, 303, 303)),
    "title": ({"title": "Another one"}, (401, 403, 403, 303, 303, 303)),
    "status": ({"status": "closed"}, (401, 403, 403, 303, 303, 303)),
    "pin": ({"pinned": "1"}, (401, 403, 403, 403, 303, 303)),
    "lock": ({"locked": "1"}, (401, 403, 403, 403, 303, 303)),
    "comment/{id}/edit": ({"body": "changed"}, (401, 403, 403, 303, 403, 403)),
    "comment/{id}/hide": ({"reason": ""}, (401, 403, 403, 303, 303, 303)),
}


@pytest.mark.slow
@pytest.mark.parametrize("path", DONE)
def test_each_can_do_what_the_table_says_and_no_more(place: Forum, path: str):
    form, expected = DONE[path]
    got = []
    for user in PEOPLE:
        number = opened(place)
        (comment,) = place.discussion(number).comments
        before = len(place.discussion(number).timeline)
        got.append(place.post(f"{HERE}/{number}/{path.format(id=comment)}", user, **form)[0])
        assert (len(place.discussion(number).timeline) > before) is (got[-1] == 303)
    assert tuple(got) == answers(place, *expected)


@pytest.mark.slow
def test_each_opens_a_discussion_as_the_table_says(place: Forum):
    form = {"title": "Mine", "comment": "Why?", "description": "Why?", "body": "Why?"}
    got = tuple(place.post(f"{HERE}/new", user, **form)[0] for user in PEOPLE)
    assert got == answers(place, 401, 303, 303, 303, 303, 303)
