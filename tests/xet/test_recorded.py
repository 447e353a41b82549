"""The formats of Xet against what hf_xet 1.8.0 sent when it uploaded one file of numbers, noise and words."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import pytest

from glasshub.blobs.xet import hashes, shard, xorb
from glasshub.errors import Invalid

RECORDED = Path(__file__).parent / "recorded"
XORB = "82a8bc48bfa7c57066135065ed5b57acda59db41e122973e43629751e4d99047"
FILE = "847b9cfec199b9e603f6eeb4e0567e5ac666430f96627862de22b0604b56084e"
SHA256 = "d02e064a769d1249355e7a5e0a26c00b0aa3ae209e18548cc578db9867876f77"
SIZE = 340_000


def _chunks() -> list[tuple[xorb.Chunk, bytes, bytes]]:
    return list(xorb.read_chunks(io.BytesIO((RECORDED / "xorb.bin").read_bytes())))


def _shard() -> shard.Shard:
    return shard.parse_shard((RECORDED / "shard.bin").read_bytes())


def test_a_xorb_has_the_hash_that_the_client_gave_it() -> None:
    assert hashes.to_text(xorb.xorb_hash(chunk for chunk, _, _ in _chunks())) == XORB


def test_chunks_come_out_as_the_file_through_the_terms_of_its_shard() -> None:
    contents = [content for _, _, content in _chunks()]
    (file,) = _shard().files
    whole = b"".join(b"".join(contents[term.start : term.end]) for term in file.terms)
    assert (len(whole), file.size) == (SIZE, SIZE)
    assert hashlib.sha256(whole).hexdigest() == SHA256


def test_numbers_are_grouped_by_bytes() -> None:
    assert xorb.GROUPED_LZ4 in {chunk.scheme for chunk, _, _ in _chunks()}


def test_the_shard_tells_file_content_and_xorb() -> None:
    told = _shard()
    (file,) = told.files
    assert hashes.to_text(file.hash) == FILE
    assert hashes.to_text(file.sha256) == SHA256
    assert [hashes.to_text(term.xorb) for term in file.terms] == [XORB] * len(file.terms)
    (described,) = told.xorbs
    assert [chunk[0] for chunk in described.chunks] == [chunk.hash for chunk, _, _ in _chunks()]


def test_file_hash_and_proofs_follow_from_the_chunks() -> None:
    chunks = [chunk for chunk, _, _ in _chunks()]
    (file,) = _shard().files
    used = [chunk for term in file.terms for chunk in chunks[term.start : term.end]]
    assert hashes.to_text(hashes.file_hash([(chunk.hash, chunk.length) for chunk in used])) == FILE
    for term in file.terms:
        assert term.proof == hashes.verification_hash(chunk.hash for chunk in chunks[term.start : term.end])


def test_the_index_of_a_xorb_reads_back() -> None:
    chunks = [chunk for chunk, _, _ in _chunks()]
    packed = xorb.Chunks(xorb.pack_index(chunks))
    assert [list(packed), packed[1:3], packed[-1], len(packed)] == [chunks, chunks[1:3], chunks[-1], len(chunks)]


@pytest.mark.parametrize("cut", [3, 9, 50_000])
def test_a_xorb_cut_short_is_refused(cut: int) -> None:
    data = (RECORDED / "xorb.bin").read_bytes()[:-cut]
    with pytest.raises(Invalid, match=r"damaged|decompressed"):
        list(xorb.read_chunks(io.BytesIO(data)))


@pytest.mark.parametrize("cut", [1, 48, 100, 300, 500])
def test_a_shard_cut_short_is_refused(cut: int) -> None:
    data = (RECORDED / "shard.bin").read_bytes()[:-cut]
    with pytest.raises(Invalid):
        shard.parse_shard(data)
