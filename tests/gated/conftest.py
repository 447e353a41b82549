"""A hub with one gated model, people of all standings to it, and a sign in every file that only some may see."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from glasshub import accounts, edits, gates, large_files, repos, xet
from glasshub.app import create_app
from glasshub.blobs.pointer import Pointer
from glasshub.blobs.xet.hashes import chunk_hash, file_hash, to_text
from glasshub.config import Settings
from glasshub.edits import Edit
from glasshub.gate_form import GateForm
from glasshub.git.build import Put
from glasshub.hub import open_hub
from glasshub.identity import Repo, Role
from tests.api.conftest import lab  # noqa: F401  a fixture
from tests.pages.site import Site
from tests.xet.test_rights import shard_of, xorb_of

SIGN = "Q7pl0vEryS3cret"  # in no name, card, score or title
OUTSIDERS = ("anonymous", "stranger", "pending", "rejected", "limited")
INSIDERS = ("accepted", "reader", "contributor", "writer", "boss", "chief")
LARGE = f"{SIGN} large\n".encode() * 50
CHUNKS = [f"{SIGN} chunked".encode() * 700]
CARD = """\
---
license: mit
extra_gated_heading: Only for <b>friends</b>
extra_gated_prompt: |
  ## Terms
  Be *kind*. <script>alert(1)</script>
extra_gated_fields:
  Affiliation: text
  I am kind: checkbox
  Purpose: {type: select, options: [Research, {label: Other, value: other}]}
  Where: ip_location
extra_gated_button_content: Let me in
---
# Vault

All may read this.
"""
RESULTS = "- dataset: {id: lab/none, task_id: x}\n  value: 0.5\n"


@dataclass
class Vault:
    """The hub, and what is in it."""

    site: Site
    repo: Repo
    xet_hash: str
    xorb: str
    commits: list[str]
    pull: int
    tokens: dict[str, str] = field(default_factory=dict)

    def headers(self, who: str) -> dict[str, str]:
        """How somebody asks; ``limited`` is the admin's token for another repo."""
        return {"Authorization": f"Bearer {self.tokens[who]}"} if who in self.tokens else {}

    @property
    def lfs(self) -> Pointer:
        return Pointer(hashlib.sha256(LARGE).hexdigest(), len(LARGE))

    @property
    def chunked(self) -> Pointer:
        data = b"".join(CHUNKS)
        return Pointer(hashlib.sha256(data).hexdigest(), len(data))


@pytest.fixture(scope="module")
def vault(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vault]:
    """A vault of this module alone."""
    hub = open_hub(Settings(data=tmp_path_factory.mktemp("vault") / "data", public_url="http://hub.example"))
    site = Site(hub, create_app(hub))
    made = _fill(site)
    yield made
    hub.close()


def _fill(site: Site) -> Vault:
    hub = site.hub
    for name in ("boss", "reader", "contributor", "writer", "stranger", "pending", "accepted", "rejected"):
        accounts.add_user(hub, name, full_name=name.title())
    accounts.add_user(hub, "chief", admin=True)
    accounts.add_org(hub, "lab", admin="boss")
    admin = accounts.actor_for(hub, "boss")
    for name, role in (("reader", Role.READ), ("contributor", Role.CONTRIBUTOR), ("writer", Role.WRITE)):
        accounts.set_member(hub, admin, "lab", name, role)
    repo = repos.create(hub, admin, "model", "lab", "vault")
    other = repos.create(hub, admin, "model", "lab", "other")
    pointers = _large(hub, repo)
    first = site.push("model", "lab/vault", {
        "README.md": CARD, "secret.txt": f"{SIGN} one\n", "secret.md": f"# {SIGN}\n", ".eval_results/a.yaml": RESULTS,
        "large.bin": pointers[0].text(), "chunked.bin": pointers[1].text(), "secret.png": SIGN.encode(),
    }, user="boss")  # fmt: skip
    second = site.push("model", "lab/vault", {"secret.txt": f"{SIGN} two\n"}, user="boss", message="Change it")
    edit = Edit([Put("secret.txt", f"{SIGN} three\n".encode())], "Change it again", "", parent=second)
    pull = edits.propose(hub, repo, accounts.actor_for(hub, "writer"), edit).pull
    repo = repos.configure(hub, admin, repo, gated="manual")
    for name in ("pending", "accepted", "rejected"):
        gates.ask(hub, accounts.actor_for(hub, name), repo, GateForm(), {}, terms=second)
    gates.handle(hub, admin, repo, "accepted", user="accepted")
    gates.handle(hub, admin, repo, "rejected", user="rejected", reason="Not you.")
    name = to_text(file_hash([(chunk_hash(chunk), len(chunk)) for chunk in CHUNKS]))
    vault = Vault(site, repo, name, xorb_of(CHUNKS)[0], [first, second], pull)
    for who in (*OUTSIDERS[1:-1], *INSIDERS):
        vault.tokens[who] = accounts.create_token(hub, who, scope="write")[0]
    vault.tokens["limited"] = accounts.create_token(hub, "boss", scope="write", only_repos=[other.key])[0]
    return vault


def _large(hub, repo: Repo) -> tuple[Pointer, Pointer]:
    plain = Pointer(hashlib.sha256(LARGE).hexdigest(), len(LARGE))
    large_files.receive(hub, repo, "boss", plain, io.BytesIO(LARGE))
    name, body = xorb_of(CHUNKS)
    xet.add_xorb(hub, repo, accounts.actor_for(hub, "boss"), name, io.BytesIO(body))
    xet.register(hub, repo, accounts.actor_for(hub, "boss"), shard_of(CHUNKS))
    data = b"".join(CHUNKS)
    return plain, Pointer(hashlib.sha256(data).hexdigest(), len(data))
