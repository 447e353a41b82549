"""What each version of the stock client must be able to do: run by the Python of its environment, not imported.

Reads a JSON object on standard input (``folder``, ``work``, ``proxy``, ``stranger``, ``plain``), writes one on standard
output: what went wrong (``""``: nothing) and how long it took, by name of the check.
"""

from __future__ import annotations

import hashlib
import json
import random
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import get_args

from huggingface_hub import HfApi, HfFileSystem, constants, hf_api, hf_hub_download, snapshot_download
from huggingface_hub.utils import EntryNotFoundError, GatedRepoError, HfHubHTTPError, RepositoryNotFoundError

ASKED = json.load(sys.stdin)
FOLDER, WORK = Path(ASKED["folder"]), Path(ASKED["work"])
api = HfApi()
ME = api.whoami()["name"]
SMALL, LARGE = f"{ME}/small", f"{ME}/folder"
CHANCE = random.Random(ME)
WEIGHTS, MORE = CHANCE.randbytes(12_000_000), CHANCE.randbytes(1_000_000)
CHECKS = []


def check(function):
    """One of the checks, in this order."""
    CHECKS.append(function)
    return function


def digests(folder):
    """Path -> SHA-256 of all files below a folder."""
    found = {}
    for path in sorted(Path(folder).rglob("*")):
        if path.is_file() and ".cache" not in path.parts and path.name != ".gitattributes":
            found[path.relative_to(folder).as_posix()] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


SENT = digests(FOLDER)


def download(repo, path, **options):
    """The bytes of one file."""
    return Path(hf_hub_download(repo, path, **options)).read_bytes()


def missing(repo, **options):
    """Whether the repo does not exist for this caller."""
    try:
        api.model_info(repo, **options)
    except RepositoryNotFoundError:
        return True
    return False


@check
def upload_file():
    api.create_repo(SMALL)
    assert api.list_repo_files(SMALL) == [".gitattributes"]
    (WORK / "model.bin").write_bytes(WEIGHTS)
    api.upload_file(path_or_fileobj=b'{"a": 1}', path_in_repo="config.json", repo_id=SMALL)
    api.upload_file(path_or_fileobj=b"\0tiny", path_in_repo="tiny.safetensors", repo_id=SMALL)
    api.upload_file(path_or_fileobj=str(WORK / "model.bin"), path_in_repo="deep/model.bin", repo_id=SMALL)
    for path, data in (("config.json", b'{"a": 1}'), ("tiny.safetensors", b"\0tiny"), ("deep/model.bin", WEIGHTS)):
        assert download(SMALL, path) == data
    (info,) = api.get_paths_info(SMALL, "deep/model.bin")
    assert info.lfs.sha256 == hashlib.sha256(WEIGHTS).hexdigest()


@check
def upload_folder():
    api.create_repo(LARGE)
    api.upload_folder(folder_path=str(FOLDER), repo_id=LARGE)
    assert set(api.list_repo_files(LARGE)) == {".gitattributes", *SENT}
    before = api.model_info(LARGE).sha
    api.upload_folder(folder_path=str(FOLDER), repo_id=LARGE, allow_patterns=["*/0*"])  # is there
    assert api.model_info(LARGE).sha == before


@check
def snapshot():
    cold = snapshot_download(LARGE)
    assert digests(cold) == SENT
    files = {path: path.stat().st_mtime_ns for path in Path(cold).rglob("*")}
    assert snapshot_download(LARGE) == cold
    assert snapshot_download(LARGE, local_files_only=True) == cold
    assert {path: path.stat().st_mtime_ns for path in Path(cold).rglob("*")} == files
    api.upload_file(path_or_fileobj=MORE, path_in_repo="weights/00.bin", repo_id=LARGE)
    api.delete_file("text/000.txt", repo_id=LARGE)
    changed = snapshot_download(LARGE, allow_patterns=["*/0*"])  # a part, since each file is asked for again
    there = {path.relative_to(changed).as_posix() for path in Path(changed).rglob("*") if path.is_file()}
    assert there == {path for path in SENT if path.split("/")[1].startswith("0")} - {"text/000.txt"}
    assert (Path(changed) / "weights/00.bin").read_bytes() == MORE
    assert {path: path.stat().st_mtime_ns for path in Path(cold).rglob("*")} == files
    local = snapshot_download(LARGE, local_dir=WORK / "local", allow_patterns=["text/00*", "weights/00.bin"])
    assert set(digests(local)) == {f"text/00{n}.txt" for n in range(1, 10)} | {"weights/00.bin"}


def upload_large_folder():
    if hasattr(HfApi, "upload_large_folder"):  # later versions have it all in upload_folder
        part = WORK / "part"
        (part / "sub").mkdir(parents=True)
        for number in range(20):
            (part / "sub" / f"{number}.txt").write_text(f"{ME} {number}")
        (part / "model.safetensors").write_bytes(MORE)
        api.upload_large_folder(repo_id=f"{ME}/parts", repo_type="dataset", folder_path=part, print_report=False)
        assert len(api.list_repo_files(f"{ME}/parts", repo_type="dataset")) == 22


@check
def resume_after_a_cut():
    through = {"endpoint": ASKED["proxy"], "cache_dir": WORK / "cut"}
    try:
        data = download(SMALL, "deep/model.bin", **through)
    except Exception:  # noqa: BLE001 - each version has its own; old ones stop there, and go on when asked again
        data = download(SMALL, "deep/model.bin", **through)
    assert data == WEIGHTS


@check
def pull_requests():
    made = api.upload_file(path_or_fileobj=MORE, path_in_repo="more.bin", repo_id=SMALL, create_pr=True)
    assert made.pr_num == 1
    assert download(SMALL, "more.bin", revision="refs/pr/1") == MORE
    assert not api.file_exists(SMALL, "more.bin")
    api.upload_file(path_or_fileobj=b"text", path_in_repo="a.txt", repo_id=SMALL, revision="refs/pr/1")
    api.comment_discussion(SMALL, 1, comment="Looks good.")
    api.merge_pull_request(SMALL, 1)
    assert api.get_discussion_details(SMALL, 1).status == "merged"
    assert download(SMALL, "more.bin") == MORE
    stranger = HfApi(token=ASKED["stranger"])
    part = {"folder_path": str(WORK), "allow_patterns": ["model.bin"], "path_in_repo": "theirs"}
    proposed = stranger.upload_folder(repo_id=SMALL, create_pr=True, **part)
    assert proposed.pr_url.endswith("/discussions/2")
    assert download(SMALL, "theirs/model.bin", revision="refs/pr/2") == WEIGHTS


@check
def branches_and_commits():
    api.create_branch(SMALL, branch="side")
    api.create_tag(SMALL, tag="v1")
    api.delete_folder("deep", repo_id=SMALL, revision="side")
    assert "deep/model.bin" not in api.list_repo_files(SMALL, revision="side")
    api.delete_file("config.json", repo_id=SMALL)
    try:
        download(SMALL, "config.json")
    except EntryNotFoundError:
        pass
    else:
        raise AssertionError("a deleted file was downloaded")
    assert download(SMALL, "config.json", revision="v1") == b'{"a": 1}'
    assert {branch.name for branch in api.list_repo_refs(SMALL).branches} == {"main", "side"}
    assert api.list_repo_commits(SMALL)[-1].title == "initial commit"


@check
def move():
    moved = f"{ME}/moved"
    api.move_repo(SMALL, moved)
    assert download(SMALL, "deep/model.bin", cache_dir=WORK / "old-name") == WEIGHTS
    assert api.model_info(SMALL).id == moved
    api.move_repo(moved, SMALL)


@check
def private():
    secret = f"{ME}/secret"
    api.create_repo(secret, private=True)
    api.upload_file(path_or_fileobj=MORE, path_in_repo="model.bin", repo_id=secret)
    assert download(secret, "model.bin") == MORE
    for token in (False, ASKED["stranger"]):
        assert missing(secret, token=token)
        try:
            download(secret, "model.bin", token=token, cache_dir=WORK / "stolen")
        except RepositoryNotFoundError:
            pass
        else:
            raise AssertionError("a stranger read a private repo")
    api.update_repo_settings(secret, private=False)
    assert not missing(secret, token=False)


@check
def gated():
    locked, stranger = f"{ME}/locked", HfApi(token=ASKED["stranger"])
    who, theirs = stranger.whoami()["name"], {"token": ASKED["stranger"], "cache_dir": WORK / "gated"}
    api.create_repo(locked)
    api.upload_file(path_or_fileobj=MORE, path_in_repo="model.bin", repo_id=locked)
    api.update_repo_settings(locked, gated="manual")
    assert download(locked, "model.bin") == MORE
    assert stranger.model_info(locked).gated == "manual"
    for get in (lambda: download(locked, "model.bin", **theirs), lambda: stranger.auth_check(locked)):
        try:
            get()
        except GatedRepoError:
            pass
        else:
            raise AssertionError("a stranger came through the gate")
    api.grant_access(locked, who)
    assert download(locked, "model.bin", **theirs) == MORE
    assert [request.username for request in api.list_accepted_access_requests(locked)] == [who]


@check
def delete():
    gone = f"{ME}/gone"
    api.create_repo(gone)
    api.delete_repo(gone)
    assert missing(gone)
    assert not api.repo_exists(gone)
    api.delete_repo(gone, missing_ok=True)


@check
def information():
    score = b"- dataset: {id: a/b, task_id: c}\n  value: 1\n"
    api.upload_file(path_or_fileobj=score, path_in_repo=".eval_results/good.yaml", repo_id=SMALL)
    api.upload_file(path_or_fileobj=b"- no: [", path_in_repo=".eval_results/broken.yaml", repo_id=SMALL)
    asked = list(get_args(hf_api.ExpandModelProperty_T))
    found = api.model_info(SMALL, expand=asked)
    if "evalResults" in asked:
        assert [result.dataset_id for result in found.eval_results] == ["a/b"]
    assert [model.id for model in api.list_models(author=ME, search="small", expand=asked)] == [SMALL]
    api.create_repo(f"{ME}/data", repo_type="dataset")
    api.dataset_info(f"{ME}/data", expand=list(get_args(hf_api.ExpandDatasetProperty_T)))
    full = api.model_info(SMALL, files_metadata=True)
    sizes = {file.rfilename: file.size for file in full.siblings}
    assert sizes["deep/model.bin"] == len(WEIGHTS)
    try:
        api.model_info(SMALL, expand=["nonsense"])
    except HfHubHTTPError as error:
        told = str(error)
    assert "expected one of" in told


@check
def leaderboards():
    data, files = f"{ME}/quiz", HfFileSystem()
    api.create_repo(data, repo_type="dataset")
    task = b"name: Quiz\ndescription: Ask.\nevaluation_framework: custom\ntasks: [{id: easy}]\n"
    api.upload_file(path_or_fileobj=task, path_in_repo="eval.yaml", repo_id=data, repo_type="dataset")
    score = f"- dataset: {{id: {data}, task_id: easy}}\n  value: 0.5\n".encode()
    api.upload_file(path_or_fileobj=score, path_in_repo=".eval_results/easy.yaml", repo_id=SMALL)
    if hasattr(HfApi, "get_dataset_leaderboard"):
        (row,) = api.get_dataset_leaderboard(data)
        assert (row.model_id, row.value, row.source) == (SMALL, 0.5, None)
    (path,) = api.get_paths_info(SMALL, ".eval_results/easy.yaml", expand=True)
    assert path.last_commit.title
    assert files.modified(f"{SMALL}/.eval_results/easy.yaml") == path.last_commit.date


@check
def large_files():
    listed = {item.filename: item for item in api.list_lfs_files(SMALL)}
    api.permanently_delete_lfs_files(SMALL, [listed["tiny.safetensors"]])
    assert "tiny.safetensors" not in api.list_repo_files(SMALL)
    assert "tiny.safetensors" not in {item.filename for item in api.list_lfs_files(SMALL)}


def main() -> None:
    """Run them all; one that fails keeps no other from running."""
    report = {"uses Xet": {"error": "" if constants.HF_HUB_DISABLE_XET is ASKED["plain"] else "no", "seconds": 0}}

    def run(function) -> None:
        began = time.monotonic()
        try:
            function()
            error = ""
        except Exception:  # noqa: BLE001 - whatever it is, it is to be told
            error = traceback.format_exc()
        report[function.__name__] = {"error": error, "seconds": round(time.monotonic() - began, 1)}

    slow = threading.Thread(target=run, args=(upload_large_folder,))  # it mostly sleeps
    slow.start()
    for function in CHECKS:
        run(function)
    slow.join()
    print(json.dumps(report))


main()
