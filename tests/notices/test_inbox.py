"""The inbox: what concerns somebody, what they may read of it, and what they have seen."""

from __future__ import annotations

import random

import pytest

from glasshub import accounts, discussions, erasure, indexing, pulls, repos, results
from glasshub.errors import Forbidden, Invalid, RepoNotFound, Unauthenticated
from glasshub.identity import ANONYMOUS, Role
from glasshub.mentions import mentioned
from glasshub.notices import inbox
from tests.index.town import eval_yaml, result
from tests.notices.conftest import Place


def threads(town: Place, user: str) -> list[tuple[str, int, str, bool]]:
    """(repo, number, reason, unread) of an inbox."""
    found = inbox.threads(town.hub, town.actor(user))
    return [(one.row.repo_id, one.row.number, one.row.reason, one.unread) for one in found]


def unread(town: Place, user: str) -> int:
    return inbox.unread(town.hub, town.actor(user))


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("@ada and @Bob, see @ada.", ["ada", "bob"]),
        ("(@eve) @j.doe_1-x!", ["eve", "j.doe_1-x"]),
        ("me@example.org a@b /@c @", []),
        ("`@code` and\n```\n@fenced\n```\n~~~\n@tilde\n~~~\n@real", ["real"]),
        ("@@ada @-x", []),
        (" ".join(f"@user{number}" for number in range(80)), [f"user{number}" for number in range(50)]),
    ],
)
def test_mentions_are_names_outside_of_code(text, names):
    assert mentioned(text) == names


@pytest.mark.parametrize("text", ["`" * 50_000, "@" * 50_000, "@a" * 30_000, "```\n" * 20_000])
def test_no_text_makes_the_search_for_names_slow(text):
    mentioned(text)  # a test that hangs fails


@pytest.mark.slow
def test_it_holds_what_happens_in_ones_own_repos_but_not_what_one_did_oneself(town: Place):
    mine, theirs = town.model("lab/m", card="# m"), town.model("bob/m", card="# m")
    first = town.discuss(mine, user="bob")
    town.discuss(mine, user="ada")
    town.discuss(theirs, user="stranger")
    assert threads(town, "ada") == [("lab/m", first, "watching", True)]
    assert threads(town, "bob") == [("bob/m", 1, "watching", True)]
    assert threads(town, "rita") == []
    town.comment(mine, first, "Hm.", user="ada")
    assert threads(town, "bob")[0] == ("lab/m", first, "opened", True)


@pytest.mark.slow
def test_it_holds_what_one_takes_part_in_from_then_on(town: Place):
    model = town.model("lab/m", card="# m")
    number = town.discuss(model, user="bob")
    assert threads(town, "stranger") == []
    town.comment(model, number, "Me too.", user="stranger")
    assert threads(town, "stranger") == []
    town.comment(model, number, "Fine.", user="bob")
    assert threads(town, "stranger") == [("lab/m", number, "took part", True)]


@pytest.mark.slow
def test_it_holds_mentions_also_those_that_come_with_a_change(town: Place):
    model = town.model("lab/m", card="# m")
    number = town.discuss(model, "What does @Stranger say?", user="bob")
    assert threads(town, "stranger") == [("lab/m", number, "mentioned", True)]
    comment = town.comment(model, number, "Nothing.", user="bob")
    assert threads(town, "rita") == []
    town.decide(model, discussions.edit_comment, user="bob", number=number, comment_id=comment, body="Ask @rita.")
    assert threads(town, "rita") == [("lab/m", number, "mentioned", True)]


@pytest.mark.slow
def test_who_proposed_a_result_hears_that_it_is_hidden(town: Place):
    town.dataset("ada/board", eval_yaml("one"))
    model = town.model("lab/m", card="# m")
    town.propose(model, {".eval_results/a.yaml": result("ada/board", "one", 0.75)}, user="bob")
    town.propose(model, {".eval_results/b.yaml": result("ada/board", "one", 0.5)}, user="stranger")
    town.decide(model, pulls.merge, number=1)
    inbox.mark_read(town.hub, town.actor("bob"))
    for value in (0.75, 0.5):
        (shown,) = [row for row in town.results(model) if row.value == value]
        town.decide(model, results.hide_result, result_id=shown.id)
    assert threads(town, "bob")[0] == ("lab/m", 0, "result", True)
    found = next(one for one in inbox.threads(town.hub, town.actor("bob")) if one.row.number == 0)
    assert found.row.place < next(
        one.row.place for one in inbox.threads(town.hub, town.actor("stranger")) if one.row.number == 0
    )  # each hears of their own result alone
    assert ("lab/m", 0, "watching", True) not in threads(town, "ada")  # she did it herself


@pytest.mark.slow
def test_reading_one_thread_or_all(town: Place):
    model, other = town.model("lab/m", card="# m"), town.model("lab/n", card="# n")
    numbers = [town.discuss(model, user="bob") for _ in range(3)]
    town.discuss(other, user="bob")
    assert unread(town, "ada") == 4
    assert inbox.mark_read(town.hub, town.actor(), [(model.key, numbers[1]), ("0" * 24, 1)]) == 1
    assert [one[3] for one in threads(town, "ada")] == [True, True, False, True]
    town.comment(model, numbers[1], "Still there?", user="bob")
    assert unread(town, "ada") == 4
    assert inbox.mark_read(town.hub, town.actor()) == 4
    assert inbox.mark_read(town.hub, town.actor()) == 0
    assert unread(town, "ada") == 0
    assert len(threads(town, "ada")) == 4
    town.comment(model, numbers[0], "And this?", user="bob")
    assert unread(town, "ada") == 1
    assert unread(town, "bob") == 0


@pytest.mark.slow
def test_watching_and_ignoring(town: Place):
    model = town.model("lab/m", card="# m")
    number = town.discuss(model, "For @stranger.", user="bob")
    stranger, ada = town.actor("stranger"), town.actor()
    assert inbox.watching(town.hub, ada, model).watches
    assert not inbox.watching(town.hub, stranger, model).watches
    inbox.set_watching(town.hub, stranger, model, "watch")
    second = town.discuss(model, user="bob")
    assert threads(town, "stranger") == [("lab/m", second, "watching", True), ("lab/m", number, "mentioned", True)]
    inbox.set_watching(town.hub, ada, model, "ignore")
    inbox.set_watching(town.hub, stranger, model, "ignore")
    assert threads(town, "ada") == threads(town, "stranger") == []
    assert [one.watching.choice for one in inbox.watched(town.hub, stranger)] == ["ignore"]
    inbox.set_watching(town.hub, stranger, model, "")
    assert threads(town, "stranger") == [("lab/m", number, "mentioned", True)]
    assert inbox.watched(town.hub, stranger) == []
    with pytest.raises(Invalid):
        inbox.set_watching(town.hub, stranger, model, "stare")


@pytest.mark.slow
def test_private_repos_concern_only_those_who_may_read_them(town: Place):
    model = town.model("lab/m", card="# m")
    number = town.discuss(model, "For @stranger and @rita.", user="bob")
    inbox.set_watching(town.hub, town.actor("stranger"), model, "watch")
    model = repos.configure(town.hub, town.actor(), model, private=True)
    for user in ("stranger", "bob"):
        assert threads(town, user) == []
        assert unread(town, user) == 0
        assert inbox.watched(town.hub, town.actor(user)) == []
        assert inbox.mark_read(town.hub, town.actor(user), [(model.key, number)]) == 0
        with pytest.raises(RepoNotFound):
            inbox.set_watching(town.hub, town.actor(user), model, "watch")
    assert threads(town, "rita") == [("lab/m", number, "mentioned", True)]
    accounts.set_member(town.hub, town.actor(), "lab", "rita", Role.NONE)
    assert threads(town, "rita") == []


@pytest.mark.slow
def test_contributors_hear_of_what_they_made_and_admins_of_the_hub_not_of_everything(town: Place):
    accounts.set_member(town.hub, town.actor(), "lab", "bob", Role.CONTRIBUTOR)
    accounts.add_user(town.hub, "boss", admin=True)
    made = repos.create(town.hub, town.actor("bob"), "model", "lab", "by-bob")
    other = town.model("lab/m", card="# m")
    for repo in (made, other):
        town.discuss(repo, user="stranger")
    assert threads(town, "bob") == [("lab/by-bob", 1, "watching", True)]
    assert threads(town, "boss") == []


@pytest.mark.slow
def test_what_is_about_deleted_repos_disappears(town: Place):
    model = town.model("lab/m", card="# m")
    town.discuss(model, "For @rita.", user="bob")
    inbox.set_watching(town.hub, town.actor("rita"), model, "watch")
    inbox.mark_read(town.hub, town.actor("rita"))
    repos.delete(town.hub, town.actor(), model)
    assert threads(town, "rita") == threads(town, "ada") == []
    assert inbox.watched(town.hub, town.actor("rita")) == []
    with town.hub.registry.read() as db:
        for table in ("seen", "watching"):
            assert db.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar() == 0  # noqa: S608


def test_nobody_has_no_inbox_and_readers_tokens_mark_nothing(town: Place):
    with pytest.raises(Unauthenticated):
        inbox.threads(town.hub, ANONYMOUS)
    assert inbox.unread(town.hub, ANONYMOUS) == 0
    reader = accounts.actor_for(town.hub, "ada", scope="read")
    assert inbox.threads(town.hub, reader) == []
    with pytest.raises(Forbidden):
        inbox.mark_read(town.hub, reader)


@pytest.mark.slow
def test_whom_things_concern_is_the_same_in_a_rebuilt_index(town: Place):
    """Talk in random order, with mentions, changes, hiding, merging and erasing; then compare with a rebuild."""
    accounts.add_user(town.hub, "boss", admin=True)
    town.dataset("ada/board", eval_yaml("one"))
    model = town.model("lab/m", result("ada/board", "one", 0.1), card="# m")
    chance, people = random.Random(7), ["ada", "bob", "rita", "stranger"]
    comments: list[tuple[int, str, str]] = []
    for step in range(60):
        user, other = chance.choice(people), chance.choice(people)
        do = chance.randrange(6)
        if do == 0 or not comments:
            number = town.discuss(model, f"Dear @{other}", user=user)
            comments.append((number, town.comment(model, number, "So.", user=user), user))
        elif do == 1:
            score = {f".eval_results/{step}.yaml": result("ada/board", "one", step / 100)}
            number = town.propose(model, score, user=user)
            if chance.random() < 0.5:
                town.decide(model, pulls.merge, number=number)
        elif do == 2 and town.results(model):
            town.decide(model, results.hide_result, result_id=chance.choice(town.results(model)).id)
        elif do == 3:
            number, comment, author = chance.choice(comments)
            body = f"Changed {step} for @{other}"
            town.decide(model, discussions.edit_comment, user=author, number=number, comment_id=comment, body=body)
        elif do == 4 and chance.random() < 0.3:
            number, comment, _ = chance.choice(comments)
            erasure.erase_events(town.hub, town.actor("boss"), model, [comment], reason="test")
            comments = [one for one in comments if one[1] != comment]
        else:
            number = chance.choice(comments)[0]
            comments.append((number, town.comment(model, number, f"I say, @{other}", user=user), user))
    assert indexing.compare(town.hub) == []
    before = {user: threads(town, user) for user in people}
    assert all(before.values())
    indexing.reindex(town.hub)
    assert {user: threads(town, user) for user in people} == before
