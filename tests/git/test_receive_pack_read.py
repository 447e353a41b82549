"""Reading packs: right ids for honest ones, an error that says what to do for all others, in bounded memory."""

from __future__ import annotations

import random
import resource
import subprocess
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glasshub.errors import GlasshubError, Invalid, TooLarge
from glasshub.git import delta as deltas
from glasshub.git import pack_read
from glasshub.git.delta import BIG
from glasshub.git.pack_index import write_index
from glasshub.git.pack_read import Limits, PackReader
from tests.git import packs
from tests.git.packs import BLOB, COMMIT, OFS_DELTA, REF_DELTA, TREE, copy, delta, distance, entry, insert, oid, pack
from tests.require import require

LIMITS = Limits(wire=1 << 24, inflated=1 << 26, object=1 << 25, objects=100_000)


def read(data: bytes, folder: Path, *, limits: Limits = LIMITS, lent=None, piece: int = 1 << 20):
    """The objects of a pack as {20-byte id: (kind, bytes)}, and what the reader says of it."""
    found: dict[bytes, tuple[int, bytes | None]] = {}

    def visit(kind: int, name: bytes, content: bytes | None) -> None:
        assert name not in found
        found[name] = (kind, content)

    with (folder / "copy").open("w+b", buffering=0) as file:
        reader = PackReader(packs.Slowly(data, piece), file, folder, limits=limits, visit=visit, lend=(lent or {}).get)
        contents = reader.read()
    assert (folder / "copy").read_bytes() == data
    assert {row[0] for row in contents.rows} == set(found)
    return found, contents


@pytest.mark.parametrize("piece", [1, 7, 100_000])
def test_whole_objects_and_deltas_of_every_sort(tmp_path: Path, piece: int):
    _, objects = packs.sound_commit(b"hello world " * 50)
    base = objects[0][1]
    first = entry(BLOB, base)
    by_offset = delta(len(base), len(base) + 3, insert(b"abc"), copy(0, len(base)))
    second = entry(OFS_DELTA, by_offset, base=distance(len(first)))
    result = b"abc" + base
    later = b"later " * 40
    of_later = delta(len(later), 6, copy(6, 6))
    third = entry(REF_DELTA, of_later, base=oid(BLOB, later))
    on_third = entry(OFS_DELTA, delta(6, 7, copy(0, 6), insert(b"!")), base=distance(len(third)))
    thin = entry(REF_DELTA, delta(5, 9, copy(0, 5), insert(b"more")), base=oid(BLOB, b"lent!"))
    data = pack(
        first,
        second,
        third,
        on_third,
        thin,
        entry(BLOB, later),
        *(entry(k, d) for k, d in objects[1:]),
        entry(BLOB, b""),
    )
    found, contents = read(data, tmp_path, lent={oid(BLOB, b"lent!"): (BLOB, b"lent!")}, piece=piece)
    blobs = {content for kind, content in found.values() if kind == BLOB}
    assert blobs == {base, result, later, b"later ", b"later !", b"lent!more", b""}
    assert {oid(kind, content) for kind, content in found.values()} == set(found)
    assert contents.borrowed == [oid(BLOB, b"lent!")]
    assert contents.rows[1][1] == 12 + len(first)


def test_index_and_pack_are_what_git_would_write(tmp_path: Path):
    _, objects = packs.sound_commit()
    path = tmp_path / "pack-x.pack"
    path.write_bytes(packs.pack_of(*objects))
    _, contents = read(path.read_bytes(), tmp_path)
    write_index(path.with_suffix(".idx"), sorted(contents.rows), contents.checksum)
    subprocess.run([require("git"), "index-pack", "-o", "theirs.idx", path.name], cwd=tmp_path, check=True)
    assert path.with_suffix(".idx").read_bytes() == (tmp_path / "theirs.idx").read_bytes()


def test_offsets_beyond_two_gigabytes_have_their_own_table(tmp_path: Path):
    rows = sorted((random.Random(n).randbytes(20), offset, n) for n, offset in enumerate([12, 1 << 31, 5 << 31]))
    write_index(tmp_path / "p.idx", rows, b"\1" * 20)
    index = (tmp_path / "p.idx").read_bytes()
    shown = subprocess.run([require("git"), "show-index"], input=index, capture_output=True, check=True)
    assert [(line.split()[0], line.split()[1]) for line in shown.stdout.decode().splitlines()] == [
        (str(offset), name.hex()) for name, offset, _ in rows
    ]


BASE = b"base " * 10
FIRST = entry(BLOB, BASE)
HOSTILE = {
    "not a pack": (b"PUCK" + packs.pack_of((BLOB, b"x"))[4:], "does not start"),
    "version 9": (b"PACK\0\0\0\x09" + packs.pack_of((BLOB, b"x"))[8:], "does not start"),
    "empty": (b"", "too early"),
    "cut in an object": (packs.pack_of((BLOB, random.Random(1).randbytes(1000)))[:500], "too early"),
    "cut in the checksum": (packs.pack_of((BLOB, b"x"))[:-1], "too early"),
    "cut in a header": (pack(b"\xff", count=1)[:13], "too early"),
    "fewer than told": (pack(FIRST, count=2), ""),
    "more than told": (pack(FIRST, entry(BLOB, b"x"), count=1), "checksum"),
    "wrong checksum": (packs.pack_of((BLOB, b"x"))[:-20] + b"\0" * 20, "checksum"),
    "flipped byte": (pack(FIRST[:-3] + b"\0\0\0"), "inflate"),
    "something after the end": (pack(FIRST) + b"x", "follows"),
    "unknown kind 0": (pack(entry(0, b"x")), "unknown kind"),
    "unknown kind 5": (pack(entry(5, b"x")), "unknown kind"),
    "bomb": (pack(entry(BLOB, b"\0" * 1_000_000, size=10)), "larger than its header"),
    "bomb of nothing": (pack(entry(BLOB, b"\0" * 1_000_000, size=0)), "larger than its header"),
    "shorter than told": (pack(entry(BLOB, b"x", size=100)), "smaller than its header"),
    "endless size": (pack(b"\xb0" + b"\xff" * 40), "no sense"),
    "endless distance": (pack(header := packs.header(OFS_DELTA, 4) + b"\xff" * 40), "no sense"),
    "twice the same": (pack(FIRST, FIRST), "twice"),
    "delta makes the same twice": (
        pack(FIRST, entry(OFS_DELTA, delta(50, 50, copy(0, 50)), base=distance(len(FIRST)))),
        "twice",
    ),
    "base in the middle of an object": (
        pack(FIRST, entry(OFS_DELTA, delta(50, 5, copy(0, 5)), base=distance(len(FIRST) - 1))),
        "no object",
    ),
    "base is itself": (pack(FIRST, entry(OFS_DELTA, delta(50, 5, copy(0, 5)), base=distance(0))), "no object"),
    "base before the pack": (pack(entry(OFS_DELTA, delta(50, 5, copy(0, 5)), base=distance(99))), "no object"),
    "base is nowhere": (pack(entry(REF_DELTA, delta(50, 5, copy(0, 5)), base=b"\1" * 20)), "no base"),
    "cycle of two": (
        pack(
            entry(REF_DELTA, delta(5, 6, copy(0, 5), insert(b"x")), base=b"\1" * 20),
            entry(
                OFS_DELTA,
                delta(6, 5, copy(0, 5)),
                base=distance(len(entry(REF_DELTA, delta(5, 6, copy(0, 5), insert(b"x")), base=b"\1" * 20))),
            ),
        ),
        "no base",
    ),
    "delta for another base": (
        pack(FIRST, entry(OFS_DELTA, delta(51, 5, copy(0, 5)), base=distance(len(FIRST)))),
        "another size",
    ),
    "copy from beyond": (
        pack(FIRST, entry(OFS_DELTA, delta(50, 5, copy(48, 5)), base=distance(len(FIRST)))),
        "does not apply",
    ),
    "other size than told": (
        pack(FIRST, entry(OFS_DELTA, delta(50, 6, copy(0, 5)), base=distance(len(FIRST)))),
        "does not apply",
    ),
    "instruction zero": (
        pack(FIRST, entry(OFS_DELTA, delta(50, 5, b"\0"), base=distance(len(FIRST)))),
        "does not apply",
    ),
    "delta without sizes": (pack(FIRST, entry(OFS_DELTA, b"", base=distance(len(FIRST)))), "no sense"),
    "delta with an endless size": (pack(FIRST, entry(OFS_DELTA, b"\xff" * 30, base=distance(len(FIRST)))), "no sense"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_damaged_packs_are_refused_with_advice(tmp_path: Path, name: str):
    data, reason = HOSTILE[name]
    for piece in (1 << 20, 3):
        with pytest.raises(Invalid, match="Push again") as caught:
            read(data, tmp_path, piece=piece)
        assert reason in caught.value.message


def test_every_truncation_and_many_flips_end_in_an_error_of_the_family(tmp_path: Path):
    _, objects = packs.sound_commit(b"text " * 30)
    text = objects[0][1]
    first = entry(BLOB, text)
    data = pack(
        first,
        entry(OFS_DELTA, delta(len(text), 10, copy(0, 10)), base=distance(len(first))),
        *(entry(kind, content) for kind, content in objects[1:]),
    )
    for end in range(len(data)):
        with pytest.raises(Invalid):
            read(data[:end], tmp_path)
    for at in range(len(data)):
        broken = bytearray(data)
        broken[at] ^= 1 << at % 8
        with pytest.raises(GlasshubError):
            read(bytes(broken), tmp_path)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200), st.integers(0, 5))
def test_no_bytes_raise_anything_else(tmp_path_factory, noise: bytes, count: int):
    with pytest.raises(GlasshubError):
        read(pack(noise, count=count + 1), tmp_path_factory.mktemp("noise"))


@pytest.mark.parametrize(
    ("limits", "setting"),
    [
        ({"wire": 1000}, "max_push_bytes"),
        ({"inflated": 150_000}, "max_inflated_bytes"),
        ({"object": 99_000}, "max_object_bytes"),
        ({"objects": 1}, "max_push_objects"),
    ],
)
def test_limits_name_their_setting(tmp_path: Path, limits: dict[str, int], setting: str):
    noise = random.Random(5).randbytes(100_000)
    values = {"wire": 1 << 24, "inflated": 1 << 24, "object": 1 << 24, "objects": 100} | limits
    with pytest.raises(TooLarge, match=setting):
        read(packs.pack_of((BLOB, noise), (BLOB, noise[1:])), tmp_path, limits=Limits(**values))


def test_what_deltas_unfold_to_counts(tmp_path: Path):
    base = b"\0" * 65_536
    first = entry(BLOB, base)
    bomb = delta(len(base), 256 * 65_536, *[copy(0, 65_536)] * 256)
    data = pack(first, entry(OFS_DELTA, bomb, base=distance(len(first))))
    assert len(data) < 2000
    for limit, setting in (({"object": 1 << 20}, "max_object_bytes"), ({"inflated": 1 << 20}, "max_inflated_bytes")):
        values = {"wire": 1 << 24, "inflated": 1 << 30, "object": 1 << 30, "objects": 9} | limit
        with pytest.raises(TooLarge, match=setting):
            read(data, tmp_path, limits=Limits(**values))


def test_a_claimed_size_takes_no_memory(tmp_path: Path):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    limits = Limits(wire=1 << 40, inflated=1 << 50, object=1 << 50, objects=1 << 32)
    for data in (
        pack(entry(BLOB, b"x", size=1 << 49)),
        pack(entry(COMMIT, b"x", size=pack_read.LARGEST_STRUCTURE)),
        pack(FIRST, entry(OFS_DELTA, delta(50, 1 << 49, copy(0, 50)), base=distance(len(FIRST)))),
        pack(entry(OFS_DELTA, b"x", size=1 << 49, base=distance(1))),
        pack(FIRST, count=(1 << 32) - 1),
    ):
        with pytest.raises(GlasshubError):
            read(data, tmp_path, limits=limits)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 60_000  # kB


def test_a_tree_too_large_to_check_is_refused(tmp_path: Path):
    limits = Limits(wire=1 << 40, inflated=1 << 50, object=1 << 50, objects=9)
    with pytest.raises(TooLarge, match="A tree has"):
        read(pack(entry(TREE, b"x", size=pack_read.LARGEST_STRUCTURE + 1)), tmp_path, limits=limits)


def test_an_overlong_chain_of_deltas_is_refused_and_a_long_one_is_read(tmp_path: Path):
    for length in (pack_read.DEEPEST_CHAIN, pack_read.DEEPEST_CHAIN + 1):
        entries, content = [FIRST], BASE
        for n in range(length):
            step = delta(len(content), 54, copy(0, 50), insert(n.to_bytes(4, "big")))
            entries.append(entry(OFS_DELTA, step, base=distance(len(entries[-1]))))
            content = BASE + n.to_bytes(4, "big")
        if length > pack_read.DEEPEST_CHAIN:
            with pytest.raises(Invalid, match="longer than"):
                read(pack(*entries), tmp_path)
        else:
            assert len(read(pack(*entries), tmp_path)[0]) == length + 1


def test_bases_that_the_cache_dropped_are_unfolded_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(pack_read, "_CACHE_BYTES", 1)
    chance = random.Random(4)
    entries, offsets, contents = [], [12], [chance.randbytes(500)]
    entries.append(entry(BLOB, contents[0]))
    for _ in range(60):
        base = chance.randrange(len(contents))
        offsets.append(offsets[-1] + len(entries[-1]))
        extra = chance.randbytes(5)
        change = delta(len(contents[base]), len(contents[base]) + 5, insert(extra), copy(0, len(contents[base])))
        entries.append(entry(OFS_DELTA, change, base=distance(offsets[-1] - offsets[base])))
        contents.append(extra + contents[base])
    found, _ = read(pack(*entries), tmp_path)
    assert {content for _, content in found.values()} == set(contents)


@pytest.mark.slow
def test_large_objects_and_their_deltas_stay_out_of_memory(tmp_path: Path):
    size = 5 * BIG
    large = random.Random(6).randbytes(1000) * (size // 1000)
    first = entry(BLOB, large, level=1)
    change = delta(len(large), len(large) + 4, copy(0, 0xFFFFFF), insert(b"four"), *_copies(0xFFFFFF, len(large)))
    result = large[:0xFFFFFF] + b"four" + large[0xFFFFFF:]
    second = entry(OFS_DELTA, change, base=distance(len(first)))
    third = entry(OFS_DELTA, delta(len(result), 6, copy(0xFFFFFE, 6)), base=distance(len(second)))
    data = pack(first, second, third)
    limits = Limits(wire=1 << 30, inflated=1 << 32, object=1 << 30, objects=9)
    tracemalloc.start()
    found, _ = read(data, tmp_path, limits=limits)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert set(found) == {oid(BLOB, large), oid(BLOB, result), oid(BLOB, result[0xFFFFFE : 0xFFFFFE + 6])}
    assert peak < 3 * BIG


def _copies(start: int, end: int) -> list[bytes]:
    return [copy(at, min(0xFFFFFF, end - at)) for at in range(start, end, 0xFFFFFF)]


@settings(max_examples=50, deadline=None)
@given(st.binary(min_size=1, max_size=300), st.data())
def test_both_ways_of_applying_a_delta_agree(tmp_path_factory, base: bytes, data: st.DataObject):
    folder = tmp_path_factory.mktemp("delta")
    steps, result = [], b""
    for _ in range(data.draw(st.integers(0, 6))):
        if data.draw(st.booleans()):
            piece = data.draw(st.binary(min_size=1, max_size=20))
            steps.append(insert(piece))
        else:
            at = data.draw(st.integers(0, len(base) - 1))
            piece = base[at : at + data.draw(st.integers(1, len(base) - at))]
            steps.append(copy(at, len(piece)))
        result += piece
    made = delta(len(base), len(result), *steps)
    sizes = deltas.read_sizes(made)
    assert deltas.apply(base, made, sizes, folder) == result
    mapped = deltas.hold([base], len(base), folder)
    assert deltas.apply(mapped, made, sizes, folder)[:] == result
