"""The stock client against the live hub, with nothing but its endpoint set."""

from __future__ import annotations

from pathlib import Path

import pytest
from huggingface_hub import HfFileSystem, hf_hub_download, snapshot_download
from huggingface_hub.errors import (
    HfHubHTTPError,
    RemoteEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from glasshub import accounts, repos

pytestmark = pytest.mark.slow


def test_whoami(world):
    me = world.api.whoami()
    assert (me["name"], me["type"], me["orgs"]) == (world.owner.name, "user", [])
    assert me["auth"]["accessToken"]["role"] == "write"
    with pytest.raises(HfHubHTTPError):
        world.api.whoami(token="hf_wrong")


def test_leaderboard_ranks_base_models_and_includes_derived_ones_on_request(world):
    board = world.anonymous.get_dataset_leaderboard(world.dataset)
    assert [(row.rank, row.model_id.split("/")[1], row.value) for row in board] == [(1, "good", 0.9), (2, "fair", 0.5)]
    assert board[0].source["url"] == "https://example.org/paper"
    assert not board[0].verified
    everyone = world.anonymous.get_dataset_leaderboard(world.dataset, base_model_only=False)
    assert [row.model_id.split("/")[1] for row in everyone] == ["derived", "good", "fair"]
    with pytest.raises(RepositoryNotFoundError):
        world.anonymous.get_dataset_leaderboard(f"{world.owner.name}/none")


def test_benchmarks_are_found_by_their_tag(world):
    found = {dataset.id: dataset for dataset in world.anonymous.list_datasets(benchmark=True, author=world.owner.name)}
    assert list(found) == [world.dataset]
    assert "benchmark:official" in found[world.dataset].tags


def test_model_info_carries_results(world):
    info = world.anonymous.model_info(world.models["good"], expand=["evalResults", "sha", "tags", "cardData"])
    values = {(entry.dataset_id, entry.task_id): entry.value for entry in info.eval_results}
    assert values == {(world.dataset, "easy"): 0.9, (world.dataset, "hard"): 1.5}
    assert info.card_data.license == "mit"
    assert "license:mit" in info.tags
    with pytest.raises(HfHubHTTPError, match="expected one of"):
        world.anonymous.model_info(world.models["good"], expand=["nonsense"])


def test_info_at_revisions(world):
    head = world.anonymous.model_info(world.models["good"], files_metadata=True)
    assert {file.rfilename: file.size for file in head.siblings}["weights.bin"] == 10_240
    assert head.last_modified is not None
    before = world.anonymous.model_info(world.models["good"], revision="dev/a")
    assert before.sha != head.sha
    for revision in ("v1", head.sha, head.sha[:7]):
        assert world.anonymous.model_info(world.models["good"], revision=revision).sha == head.sha
    with pytest.raises(RevisionNotFoundError):
        world.anonymous.model_info(world.models["good"], revision="nope")


def test_lists_search_filter_and_page(world):
    author = world.owner.name
    ids = {model.id for model in world.anonymous.list_models(author=author)}
    assert ids == {world.models[name] for name in ("good", "fair", "derived")}
    assert world.models["secret"] in {model.id for model in world.api.list_models(author=author)}
    assert [m.id for m in world.anonymous.list_models(author=author, search="fair")] == [world.models["fair"]]
    tagged = world.anonymous.list_models(author=author, filter=["license:mit", f"base_model:{world.models['good']}"])
    assert [m.id for m in tagged] == [world.models["derived"]]
    assert len(list(world.anonymous.list_models(author=author, sort="created_at", limit=2))) == 2


def test_link_headers_lead_through_all_pages(world):
    import httpx2

    address, seen = f"{world.live.url}/api/models?author={world.owner.name}&limit=1&expand=sha", []
    while address:
        answer = httpx2.get(address)
        seen += [item["id"] for item in answer.json()]
        address = answer.links.get("next", {}).get("url")
    assert len(seen) == len(set(seen)) == 3
    address, ranks = f"{world.live.url}/api/datasets/{world.dataset}/leaderboard?task_id=hard&limit=1", []
    while address:
        answer = httpx2.get(address)
        ranks += [(item["rank"], item["value"]) for item in answer.json()]
        address = answer.links.get("next", {}).get("url")
    assert ranks == [(1, 1.5), (2, 2.5)]


def test_trees_refs_and_commits(world):
    good = world.models["good"]
    paths = {item.path for item in world.anonymous.list_repo_tree(good, recursive=True)}
    assert {"README.md", "sub", "sub/deep", "sub/deep/a b.txt", ".eval_results/own.yaml"} <= paths
    [file] = world.anonymous.list_repo_tree(good, "sub/deep", expand=True)
    assert (file.path, file.size, file.last_commit.title) == ("sub/deep/a b.txt", 6, "Begin")
    infos = world.anonymous.get_paths_info(good, ["README.md", "sub", "missing"], expand=True)
    assert [item.path for item in infos] == ["README.md", "sub"]
    refs = world.anonymous.list_repo_refs(good, include_pull_requests=True)
    assert {branch.name for branch in refs.branches} == {"main", "dev/a"}
    assert [tag.name for tag in refs.tags] == ["v1"]
    assert refs.pull_requests == []
    commits = world.anonymous.list_repo_commits(good, formatted=True)
    assert [commit.title for commit in commits] == ["Add scores", "Begin"]
    assert commits[0].message == "Measured twice."
    assert commits[0].authors == ["Ada"]
    with pytest.raises(RemoteEntryNotFoundError):
        list(world.anonymous.list_repo_tree(good, "nowhere"))


def test_downloads_and_caches(world, tmp_path: Path):
    good, url = world.models["good"], world.live.url
    got = hf_hub_download(good, "sub/deep/a b.txt", endpoint=url, cache_dir=tmp_path, token=False)
    assert Path(got).read_text() == "hello\n"
    with pytest.raises(RemoteEntryNotFoundError):
        hf_hub_download(good, "nope.txt", endpoint=url, cache_dir=tmp_path, token=False)
    assert list(tmp_path.glob("*/.no_exist/*/nope.txt"))
    folder = snapshot_download(good, revision="v1", endpoint=url, cache_dir=tmp_path, token=False)
    assert (Path(folder) / "weights.bin").read_bytes() == bytes(range(256)) * 40


def test_ranges_read_by_the_file_system(world):
    files = HfFileSystem(endpoint=world.live.url, token=world.owner.token)
    with files.open(f"{world.models['good']}/weights.bin", "rb", block_size=1000) as file:
        file.seek(5_003)
        assert file.read(5) == bytes([139, 140, 141, 142, 143])
    assert files.exists(f"datasets/{world.dataset}/eval.yaml")


def test_what_exists_and_what_does_not(world):
    api, good = world.anonymous, world.models["good"]
    assert api.repo_exists(good)
    assert api.repo_exists(good.upper())
    assert not api.repo_exists(f"{world.owner.name}/none")
    assert not api.repo_exists("single")
    assert api.revision_exists(good, "dev/a")
    assert not api.revision_exists(good, "dev/b")
    assert api.file_exists(good, "README.md")
    assert not api.file_exists(good, "READYOU.md")


def test_private_repos_do_not_exist_for_others(world):
    secret = world.models["secret"]
    assert world.api.repo_exists(secret)
    assert not world.anonymous.repo_exists(secret)
    with pytest.raises(RepositoryNotFoundError):
        world.anonymous.list_repo_refs(secret)


def test_a_moved_repo_answers_under_its_old_name(world, tmp_path: Path):
    hub, owner = world.live.hub, world.owner.name
    actor = accounts.actor_for(hub, owner)
    moved = repos.move(hub, actor, repos.find(hub, "model", owner, "fair"), owner, "fairer")
    try:
        assert world.anonymous.model_info(f"{owner}/fair").id == f"{owner}/fairer"
        got = hf_hub_download(f"{owner}/fair", "README.md", endpoint=world.live.url, cache_dir=tmp_path, token=False)
        assert "# Fair" in Path(got).read_text()
        board = world.anonymous.get_dataset_leaderboard(world.dataset)
        assert f"{owner}/fairer" in [row.model_id for row in board]
    finally:
        repos.move(hub, actor, moved, owner, "fair")
