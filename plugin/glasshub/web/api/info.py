"""One model or dataset: metadata, files, results."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify

from glasshub import access
from glasshub.desk import PULLS
from glasshub.git.read import Revision, list_refs, open_repo, resolve_revision
from glasshub.identity import Repo
from glasshub.index import queries
from glasshub.index.rows import RepoRow
from glasshub.web.api.arguments import KIND, api_repo, flag, many
from glasshub.web.api.repo_json import INFO_FIELDS, expanded, repo_json
from glasshub.web.context import hub

bp = Blueprint("api_info", __name__)


@bp.get(f"/api/{KIND}/<ns>/<name>")
def info(kind: str, ns: str, name: str) -> Response:
    """The repo at the head of ``main`` (an empty repo has no ``sha``)."""
    return _info(api_repo(kind, ns, name), "")


@bp.get(f"/api/{KIND}/<name>")
@bp.get(f"/api/{KIND}/<name>/<any('revision','tree','commits'):_part>/<path:_rest>")
@bp.post(f"/api/{KIND}/<name>/<any('paths-info'):_part>/<path:_rest>")
def without_namespace(name: str, **_: str) -> Response:
    """Ids without a namespace are legal to ask for; this hub has none."""
    raise access.repo_not_found(name)


@bp.get(f"/api/{KIND}/<ns>/<name>/revision/<path:revision>")
def info_at(kind: str, ns: str, name: str, revision: str) -> Response:
    """The repo at a branch, tag, commit or pull request."""
    repo = api_repo(kind, ns, name)
    with open_repo(hub().git_dir(repo)) as git_repo:
        found: Revision = resolve_revision(git_repo, revision)
    return _info(repo, found.commit)


@bp.get(f"/api/{KIND}/<ns>/<name>/refs")
def refs(kind: str, ns: str, name: str) -> Response:
    """Branches, tags and, when asked for, pull requests."""
    with open_repo(hub().git_dir(api_repo(kind, ns, name))) as git_repo:
        found = list_refs(git_repo)
        peeled = {ref: resolve_revision(git_repo, ref).commit for ref in found if ref.startswith("refs/tags/")}
    answer: dict[str, Any] = {
        "branches": _refs(found, "refs/heads/"),
        "converts": _refs(found, "refs/convert/"),
        "tags": _refs(peeled, "refs/tags/"),
    }
    if flag("include_prs"):
        answer["pullRequests"] = _refs(found, PULLS)
    return jsonify(answer)


def _info(repo: Repo, commit: str) -> Response:
    row = queries.repo(hub().index.read(), repo.key) or _unindexed(repo)
    fields = expanded(repo.type, many("expand")) or INFO_FIELDS[repo.type]
    return jsonify(repo_json(row, fields, commit=commit, blobs=flag("blobs")))


def _unindexed(repo: Repo) -> RepoRow:
    """A repo that was made a moment ago."""
    made = repo.created_at
    return RepoRow(repo.key, repo.type, repo.namespace, repo.name, repo.private, made, made, gated=repo.gated)


def _refs(found: dict[str, str], prefix: str) -> list[dict[str, str]]:
    chosen = [(ref, oid) for ref, oid in found.items() if ref.startswith(prefix)]
    if prefix == PULLS:
        chosen.sort(key=lambda item: (len(item[0]), item[0]))  # by number
    return [
        {"name": ref if prefix == PULLS else ref.removeprefix(prefix), "ref": ref, "targetCommit": oid}
        for ref, oid in chosen
    ]
