"""Repos that begin with a commit, as clients expect of those they create over the API."""

from __future__ import annotations

from glasshub import edits, repos
from glasshub.desk import MAIN
from glasshub.edits import Edit
from glasshub.git.build import Put
from glasshub.git.lfs_rules import LFS
from glasshub.hub import Hub
from glasshub.identity import Actor, Repo, RepoType

_LARGE = (
    "*.7z *.arrow *.avro *.bin *.bz2 *.ckpt *.ftz *.gguf *.gz *.h5 *.joblib *.lfs.* *.mlmodel *.model *.msgpack *.npy "
    "*.npz *.onnx *.ot *.parquet *.pb *.pickle *.pkl *.pt *.pth *.rar *.safetensors saved_model/**/* *.tar.* *.tar "
    "*.tflite *.tgz *.wasm *.xz *.zip *.zst *tfevents*"
)
_MEDIA = (
    "*.aac *.bmp *.flac *.gif *.jpeg *.jpg *.lz4 *.mds *.mp3 *.mp4 *.ogg *.pcm *.png *.raw *.sam *.tiff *.wav *.webm "
    "*.webp"
)
# What users of a hub expect to be kept by Git LFS.
ATTRIBUTES: dict[RepoType, str] = {
    "model": "".join(f"{pattern} {LFS}\n" for pattern in _LARGE.split()),
    "dataset": "".join(f"{pattern} {LFS}\n" for pattern in f"{_LARGE} {_MEDIA}".split()),
}


def create_repo(hub: Hub, actor: Actor, type: RepoType, namespace: str, name: str, *, private: bool = False) -> Repo:
    """Create a repo whose ``main`` has a first commit with ``.gitattributes``.

    Raises:
        Invalid, AccountNotFound, Forbidden, Conflict: as :func:`glasshub.repos.create`.
        Busy: the repo was made, but without the commit.
    """
    repo = repos.create(hub, actor, type, namespace, name, private=private)
    edit = Edit([Put(".gitattributes", ATTRIBUTES[type].encode())], "initial commit")
    edits.commit(hub, repo, actor, edit, ref=MAIN)
    return repo
