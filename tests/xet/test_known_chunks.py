"""Global deduplication: what clients are told of chunks that the hub has, and what they are not told."""

from __future__ import annotations

import io
import random
import struct
import time

import pytest
from blake3 import blake3

from glasshub import xet
from glasshub.blobs.xet.dedup import is_eligible
from glasshub.blobs.xet.hashes import chunk_hash, to_text
from glasshub.blobs.xet.shard import parse_shard
from glasshub.errors import Invalid, NotFound
from glasshub.hub import Hub
from glasshub.identity import Actor, Repo
from tests.xet.builder import CHUNKS, bring, person, repo, shard_of, shard_of_terms, xorb_of

pytestmark = pytest.mark.slow

KEY = b"k" * 32
FIRST = to_text(chunk_hash(CHUNKS[0]))


def ask(hub: Hub, to: Repo, actor: Actor, chunk: str = FIRST) -> list[bytes]:
    """The keyed hashes of the chunks in the answer."""
    shard = xet.known_chunk(hub, to, actor, chunk, key=KEY, expires=int(time.time()) + 60)
    footer = struct.unpack("<9Q32s2Q48x4Q", shard[-200:])
    assert (footer[0], footer[1], footer[9], footer[-1]) == (1, 48, KEY, len(shard) - 200)
    assert footer[10] <= time.time() + 1 < footer[11]
    (found,) = parse_shard(shard).xorbs
    lookup = [struct.unpack_from("<QII", shard, footer[7] + 16 * n) for n in range(footer[8])]
    assert sorted(lookup) == lookup
    assert {short for short, _, _ in lookup} == {int.from_bytes(h[:8], "little") for h, _, _ in found.chunks}
    return [hash for hash, _, _ in found.chunks]


def test_the_answer_tells_of_the_other_xorbs_of_the_file_too_as_far_as_they_are_for_the_asker(town: Hub):
    private, public = repo(town, "ada", "p", private=True), repo(town, "ada", "public")
    hidden = [b"hidden" * 100, b"shown" * 100]
    xorbs = [xorb_of(chunks) for chunks in (CHUNKS, hidden)]
    xet.add_xorb(town, public, person(town, public.namespace), xorbs[0][0], io.BytesIO(xorbs[0][1]))
    xet.add_xorb(town, private, person(town, private.namespace), xorbs[1][0], io.BytesIO(xorbs[1][1]))
    both = shard_of_terms([(xorbs[0][0], CHUNKS, 0), (xorbs[1][0], hidden[1:], 1)])
    xet.register(town, public, person(town, "ada"), both)
    own = repo(town, "eve", "own")
    shard = xet.known_chunk(town, own, person(town, "eve"), FIRST, key=KEY, expires=int(time.time()) + 60)
    found = {to_text(xorb.hash): [hash for hash, _, _ in xorb.chunks] for xorb in parse_shard(shard).xorbs}
    assert found[xorbs[0][0]] == [keyed(chunk) for chunk in CHUNKS]
    assert found[xorbs[1][0]][1] == keyed(hidden[1])
    assert found[xorbs[1][0]][0] != keyed(hidden[0])
    footer = struct.unpack("<9Q32s2Q48x4Q", shard[-200:])
    for number in range(footer[8]):
        short, row, place = struct.unpack_from("<QII", shard, footer[7] + 16 * number)
        (hash,) = struct.unpack_from("<8s", shard, footer[2] + 48 * (row + 1 + place))
        assert int.from_bytes(hash, "little") == short


def keyed(chunk: bytes) -> bytes:
    return blake3(chunk_hash(chunk), key=KEY).digest()


def test_readers_of_a_repo_recognise_its_chunks_and_learn_no_hash(town: Hub):
    bring(town, repo(town, "ada", "m"), CHUNKS)
    found = ask(town, repo(town, "eve", "own"), person(town, "eve"))
    assert found == [keyed(chunk) for chunk in CHUNKS]


def test_what_only_a_private_repo_has_is_answered_as_if_it_were_not_there(town: Hub):
    private, own = repo(town, "ada", "p", private=True), repo(town, "eve", "own")
    bring(town, private, CHUNKS)
    with pytest.raises(NotFound) as refused:
        ask(town, own, person(town, "eve"))
    with pytest.raises(NotFound) as unknown:
        ask(town, own, person(town, "eve"), "0" * 64)
    assert str(refused.value) == str(unknown.value)
    assert ask(town, private, person(town, "ada"))


def test_chunks_of_a_shared_xorb_that_came_to_no_open_repo_cannot_be_recognised(town: Hub):
    private, public = repo(town, "ada", "p", private=True), repo(town, "ada", "public")
    xorb, body = xorb_of(CHUNKS)
    xet.add_xorb(town, private, person(town, private.namespace), xorb, io.BytesIO(body))
    xet.register(town, public, person(town, "ada"), shard_of(CHUNKS[1:], xorb=xorb, start=1))
    own = repo(town, "eve", "own")
    found = ask(town, own, person(town, "eve"), to_text(chunk_hash(CHUNKS[1])))
    assert found[1] == keyed(CHUNKS[1])
    assert found[0] != keyed(CHUNKS[0])
    with pytest.raises(NotFound):
        ask(town, own, person(town, "eve"), FIRST)


def test_only_first_chunks_of_files_and_one_in_1024_are_answered(town: Hub):
    chance = random.Random(1)
    chunks = [chance.randbytes(64) for _ in range(4000)]
    own = repo(town, "ada", "m")
    bring(town, own, chunks)
    answered = []
    for place, chunk in enumerate(chunks):
        eligible = is_eligible(chunk_hash(chunk)) or place == 0
        if eligible or place % 500 == 1:
            try:
                ask(town, own, person(town, "ada"), to_text(chunk_hash(chunk)))
                answered.append(place)
            except NotFound:
                assert not eligible
            else:
                assert eligible
    assert 1 < len(answered) < 20


def test_what_is_no_hash_is_refused(town: Hub):
    with pytest.raises(Invalid):
        ask(town, repo(town, "ada", "m"), person(town, "ada"), "../../etc/passwd")
