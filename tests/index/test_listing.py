"""Lists of repos: words, tags, order, pages; and what is newest."""

from __future__ import annotations

import pytest

from glasshub import repos
from glasshub.errors import Invalid
from glasshub.index import queries
from tests.index.town import EVERYONE, Town, eval_yaml, result

pytestmark = pytest.mark.slow


def _names(town: Town, **options: object) -> list[str]:
    return [row.repo_id for row in queries.repos(town.hub.index.read(), EVERYONE, **options).items]


def test_words_are_found_in_names_titles_tags_and_text_from_their_beginning(town: Town):
    town.model(
        "ada/tiny-bert", card="---\nlicense: mit\ntags: [élan]\n---\n# A small encoder\n\nTrained on newspapers."
    )
    town.model("ada/other", card="# Something else\n")
    for words in ("bert", "tiny-bert", "SMALL enc", "news", "elan", "mit", "ada/tiny"):
        assert _names(town, search=words) == ["ada/tiny-bert"], words
    for words in ("small else", "ert", '"', "NEAR(", "a* OR b", "'; --", "()", "\0"):
        assert _names(town, search=words) == [], words
    assert len(_names(town, search=" ")) == 2


def test_tags_narrow_a_list_and_benchmarks_carry_an_official_one(town: Town):
    town.model("ada/a", card="---\nlicense: mit\ntags: [x, benchmark:official]\n---\n")
    town.model("ada/b", card="---\nlicense: mit\n---\n")
    data = town.dataset("lab/cap", eval_yaml("europe"))
    assert _names(town, filters=["license:mit"]) == ["ada/b", "ada/a"]
    assert _names(town, filters=["license:mit", "x"]) == ["ada/a"]
    assert _names(town, filters=["benchmark:official"]) == ["lab/cap"]
    row = queries.repo(town.hub.index.read(), data.key)
    assert row is not None
    assert (row.benchmark, row.tags) == ("registered", ("benchmark:official",))
    town.push(data, {"eval.yaml": None, "a": "b"})
    assert _names(town, filters=["benchmark:official"]) == []


def test_lists_are_sorted_and_paged_without_gaps(town: Town):
    for name in ("b", "A", "c"):
        town.model(f"ada/{name}", "".join(result("lab/cap", "europe", n) for n in range(1 if name == "b" else 2)))
    data = town.dataset("lab/cap", eval_yaml("europe"))
    assert _names(town, sort="name") == ["ada/A", "ada/b", "ada/c", "lab/cap"]
    assert _names(town, sort="last_modified") == ["lab/cap", "ada/c", "ada/A", "ada/b"]
    assert _names(town, sort="created_at")[0] == "lab/cap"
    assert _names(town, sort="results")[0] == "lab/cap"
    assert _names(town, type="model", namespace="ADA", limit=1) == ["ada/c"]
    db = town.hub.index.read()
    for sort in ("last_modified", "created_at", "name", "results"):
        seen, cursor = [], None
        for _ in range(4):
            page = queries.repos(db, EVERYONE, sort=sort, limit=1, cursor=cursor)
            seen += [row.repo_id for row in page.items]
            cursor = page.cursor
        assert cursor is None
        assert seen == _names(town, sort=sort)
    (row,) = [row for row in queries.repos(db, EVERYONE, type="dataset").items if row.key == data.key]
    assert row.results == 5
    with pytest.raises(Invalid, match="Sort by one of"):
        queries.repos(db, EVERYONE, sort="size")


def test_benchmarks_stand_by_the_number_of_their_models(town: Town):
    for name in ("a", "b", "c"):
        town.dataset(f"lab/{name}", eval_yaml("one", "two", name=name.upper()))
    town.model("ada/x", result("lab/b", "one", 1) + result("lab/b", "two", 1) + result("lab/c", "one", 1))
    town.model("ada/y", result("lab/b", "one", 1))
    db = town.hub.index.read()
    assert [(b.name, b.models, b.results) for b in queries.benchmarks(db, EVERYONE).items] == [
        ("B", 2, 3), ("C", 1, 1), ("A", 0, 0),
    ]  # fmt: skip
    seen, cursor = [], None
    for _ in range(3):
        page = queries.benchmarks(db, EVERYONE, limit=1, cursor=cursor)
        seen += [b.name for b in page.items]
        cursor = page.cursor
    assert (seen, cursor, page.total) == (["B", "C", "A"], None, 3)
    assert [(t.task_id, t.models) for t in page.items[0].tasks] == [("one", 0), ("two", 0)]


def test_the_newest_results_are_one_per_model_and_task(town: Town):
    town.dataset("lab/cap", eval_yaml("one", "two"))
    old = town.model("ada/old", result("lab/cap", "one", 1) * 3 + result("lab/cap", "nowhere", 1))
    town.model("ada/new", result("lab/cap", "two", 2))
    rows = queries.newest_results(town.hub.index.read(), EVERYONE)
    assert [(r.model_id, r.task_id) for r in rows] == [("ada/new", "two"), ("ada/old", "one")]
    town.push(old, {".eval_results/own.yaml": result("lab/cap", "one", 5)})
    rows = queries.newest_results(town.hub.index.read(), EVERYONE, limit=1)
    assert [(r.model_id, r.value) for r in rows] == [("ada/old", 5)]


def test_a_repo_is_listed_from_its_creation_with_its_last_commit_on_main(town: Town):
    repo = town.repo("model", "ada/m")
    row = queries.repo(town.hub.index.read(), repo.key)
    assert row is not None
    assert (row.head, row.last_modified, row.path) == ("", repo.created_at, "/ada/m")
    head = town.push(repo, {"README.md": "# Hello\n\nWorld."})
    row = queries.repo(town.hub.index.read(), repo.key)
    assert row is not None
    assert (row.head, row.last_modified, row.title) == (head, "2023-11-14T22:14:20.000Z", "Hello")
    repos.delete(town.hub, town.actor(), repo)
    assert queries.repo(town.hub.index.read(), repo.key) is None
