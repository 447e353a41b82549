"""Repos that begin with a commit, as clients expect of those they create over the API."""

from __future__ import annotations

from glasshub import edits, repos
from glasshub.desk import MAIN
from glasshub.edits import Edit
from glasshub.git.build import Put
from glasshub.hub import Hub
from glasshub.identity import Actor, Repo, RepoType

_WEIGHTS = (
    "7z arrow bin bz2 ckpt ftz gz h5 joblib mlmodel model msgpack npy npz onnx ot parquet pb pickle pkl pt pth rar "
    "safetensors tar tflite tgz wasm xz zip zst"
)
# These files are bytes, whatever they look like: git neither changes their line ends nor compares them by lines.
ATTRIBUTES = "".join(f"*.{suffix} binary\n" for suffix in _WEIGHTS.split())


def create_repo(hub: Hub, actor: Actor, type: RepoType, namespace: str, name: str, *, private: bool = False) -> Repo:
    """Create a repo whose ``main`` has a first commit with ``.gitattributes``.

    Raises:
        Invalid, AccountNotFound, Forbidden, Conflict: as :func:`glasshub.repos.create`.
        Busy: the repo was made, but without the commit.
    """
    repo = repos.create(hub, actor, type, namespace, name, private=private)
    edit = Edit([Put(".gitattributes", ATTRIBUTES.encode())], "initial commit")
    edits.commit(hub, repo, actor, edit, ref=MAIN)
    return repo
