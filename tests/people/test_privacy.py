"""A private repo does not exist for others: on no page, in no list, search, count or answer, and not for git."""

from __future__ import annotations

import re

import pytest

from glasshub import accounts, repos
from tests.people.addresses import addresses
from tests.push.gitclient import git, init

pytestmark = pytest.mark.slow
OUTSIDERS = ("anonymous", "stranger", "member with a token for other repos")
LISTS = (
    "/", "/models", "/models?author=lab", "/models?search=secret", "/datasets", "/datasets?sort=name", "/benchmarks",
    "/search?q=secret", "/search?q=hush", "/lab", "/ada", "/lab/small", "/lab/small/evaluations",
    "/datasets/lab/capitals", "/datasets/lab/capitals/leaderboard",
    "/datasets/lab/capitals/leaderboard?task=europe&base_model=all",
    "/api/models", "/api/models?search=secret", "/api/models?author=lab&full=true", "/api/datasets?expand=tags",
    "/api/datasets?filter=benchmark:official", "/api/benchmarks",
    "/api/datasets/lab/capitals/leaderboard?task_id=europe",
    "/api/models/lab/small/eval-results", "/api/models/lab/small?expand=evalResults", "/api/organizations/lab/overview",
)  # fmt: skip

# what only the hidden repos have (the name of the dataset alone also stands in a card that everybody may read)
SIGNS = ("secret-model", "Hush", "99.5", "/datasets/lab/secret-data", '"id":"lab/secret-data"')


@pytest.fixture(scope="module")
def headers(site) -> dict[str, dict[str, str]]:
    """How each of them asks."""
    small = repos.find(site.hub, "model", "lab", "small")
    tokens = {
        "stranger": accounts.create_token(site.hub, "stranger")[0],
        "member with a token for other repos": accounts.create_token(site.hub, "ada", only_repos=[small.key])[0],
        "member": accounts.create_token(site.hub, "eve")[0],
        "admin": accounts.create_token(site.hub, "ada")[0],
    }
    return {"anonymous": {}, **{who: {"Authorization": f"Bearer {token}"} for who, token in tokens.items()}}


@pytest.mark.parametrize("who", OUTSIDERS)
@pytest.mark.parametrize("type", ["model", "data"])
def test_every_address_of_a_hidden_repo_answers_like_that_of_a_missing_one(site, headers, who: str, type: str):
    kind = "dataset" if type == "data" else type
    hidden = list(addresses(site.app, "lab", f"secret-{type}", type=kind))
    missing = list(addresses(site.app, "lab", f"absent-{type}", type=kind))
    compared = there = 0
    for (rule, path), (_, other) in zip(hidden, missing, strict=True):
        if not {"ns", "name"} <= rule.arguments:
            continue
        for method in sorted(rule.methods - {"HEAD", "OPTIONS"}):
            one, two = (_ask(site, method, address, headers[who]) for address in (path, other))
            assert one.status_code == two.status_code, f"{method} {path}"
            assert one.status_code in (401, 403, 404), f"{method} {path}"
            assert _comparable(one) == _comparable(two), f"{method} {path}"
            compared += 1
            there += method == "GET" and _ask(site, method, path, headers["member"]).status_code == 200
    assert compared > 20
    assert there > 8  # so the addresses are right


QUERY = {"service": "git-upload-pack"}
# enough for most of what is sent to an address: of git-lfs, of the stock clients
BODY = {
    "operation": "download", "objects": [{"oid": "a" * 64, "size": 1}], "paths": ["README.md"], "files": [],
    "title": "Title", "description": "Text", "comment": "Text", "status": "open", "tag": "v1", "message": "Text",
}  # fmt: skip


def _ask(site, method: str, path: str, headers: dict[str, str]):
    body = {"json": BODY} if method != "GET" else {}
    return site.app.test_client().open(path, method=method, headers=headers, query_string=QUERY, buffered=True, **body)


def _comparable(answer) -> tuple[str, dict[str, str]]:
    plain = {name: value.replace("absent", "secret") for name, value in answer.headers.items()}
    own = plain.pop("X-Request-Id")
    plain.pop("Set-Cookie", None)
    text = answer.text.replace("absent", "secret").replace(own, "")
    return re.sub(r'name="csrf_token" value="[^"]*"', "", text), plain


@pytest.mark.parametrize("who", OUTSIDERS)
def test_no_list_search_count_or_rank_betrays_it(site, headers, who: str):
    for address in LISTS:
        answer = site.app.test_client().get(address, headers=headers[who], buffered=True)
        assert answer.status_code == 200, address
        for sign in SIGNS:
            assert sign not in answer.text, f"{address}: {sign}"


def test_the_same_lists_show_it_to_members_and_count_it(site, headers):
    seen = [site.app.test_client().get(address, headers=headers["member"], buffered=True).text for address in LISTS]
    for sign in SIGNS:
        assert any(sign in text for text in seen), sign
    assert sum("secret-" in text for text in seen) > 10

    def total(who: str, address: str) -> int:
        return len(site.app.test_client().get(address, headers=headers[who], buffered=True).json)

    assert total("member", "/api/models") == total("anonymous", "/api/models") + 1
    assert total("member", "/api/benchmarks") == total("anonymous", "/api/benchmarks") + 1
    board = "/api/datasets/lab/capitals/leaderboard?task_id=europe"
    ranks = {who: [row["rank"] for row in site.app.test_client().get(board, headers=headers[who]).json]
             for who in ("anonymous", "member")}  # fmt: skip
    assert len(ranks["member"]) == len(ranks["anonymous"]) + 1
    assert ranks["anonymous"][0] == 1


def test_git_tells_outsiders_the_same_of_hidden_and_missing_repos(live, tmp_path):
    owner, stranger = live.person("owner"), live.person("stranger")
    repos.create(live.hub, accounts.actor_for(live.hub, owner.name), "model", owner.name, "secret", private=True)
    tree = init(tmp_path / "tree")
    tree.commit("One", **{"README.md": "one\n"})
    for person in (None, stranger):
        said = []
        for name in ("secret", "absent"):
            url = live.git_url(f"{owner.name}/{name}", person)
            fetch, push = git("ls-remote", url, cwd=tmp_path, check=False), tree.git("push", url, "main", check=False)
            assert not fetch.ok
            assert not push.ok
            said.append((fetch.err + push.err).replace("absent", "secret"))
        assert said[0] == said[1]
    assert git("ls-remote", live.git_url(f"{owner.name}/secret", owner), cwd=tmp_path).ok


def test_an_old_name_leads_only_those_there_who_may_see_it(live, visit):
    owner, stranger = live.person("owner"), live.person("stranger")
    actor = accounts.actor_for(live.hub, owner.name)
    repo = repos.create(live.hub, actor, "model", owner.name, "before", private=True)
    repos.move(live.hub, actor, repo, owner.name, "after")
    assert visit(live, owner).get(f"/{owner.name}/before").headers["Location"] == f"/{owner.name}/after"
    for browser in (visit(live), visit(live, stranger)):
        answer = browser.get(f"/{owner.name}/before")
        assert answer.status_code == 404
        assert "after" not in answer.text
        assert "after" not in browser.get(f"/{owner.name}/AFTER").text  # nor how it is spelled
        assert browser.get(f"/api/models/{owner.name}/before").headers["X-Error-Code"] == "RepoNotFound"


def test_making_a_repo_private_hides_it_at_once_and_public_shows_it(live, visit, tmp_path):
    owner = live.person("owner")
    tree = init(tmp_path / "tree", live.git_url(f"{owner.name}/zephyr-net", owner))
    tree.commit("One", **{"README.md": "# Zephyr\n"})
    tree.git("push", "-q", "origin", "main")
    mine, anybody = visit(live, owner), visit(live)
    page = f"/{owner.name}/zephyr-net"

    def seen() -> list[bool]:
        lists = (
            f"/models?author={owner.name}",
            "/search?q=zephyr",
            f"/{owner.name}",
            f"/api/models?author={owner.name}",
        )
        return [
            anybody.get(page).status_code == 200,
            *("zephyr-net" in anybody.get(path.format(owner.name)).text for path in lists),
        ]

    assert seen() == [True] * 5
    assert mine.submit(f"{page}/settings", private="1").status_code == 303
    assert seen() == [False] * 5
    assert mine.get(page).status_code == 200
    token = mine.form(f"{page}/settings", f"{page}/settings").fields["csrf_token"]
    assert mine.http.post(f"{page}/settings", data={"csrf_token": token}).status_code == 303
    assert seen() == [True] * 5
