"""YAML files made to cost much: each a function from a size in bytes to a file of about that size."""

from __future__ import annotations

from collections.abc import Callable

Make = Callable[[int], bytes]

_INSPECT = b"evaluation_framework: inspect-ai\nname: x\ntasks:\n"
_TEMPLATE = _INSPECT + b'- {id: a, solvers: [{name: prompt_template, args: {template: "'


def _repeat(unit: bytes, *, before: bytes = b"", after: bytes = b"") -> Make:
    return lambda size: before + unit * (size // len(unit)) + after


def _numbered(line: bytes, *, before: bytes = b"", after: bytes = b"") -> Make:
    """Lines with a number each, so that no two are the same."""
    return lambda size: before + b"".join(line % number for number in range(size // (len(line) + 3))) + after


def _deeper(line: bytes) -> Make:
    """Each line stands one column further in than the one before."""
    return lambda size: b"".join(b" " * depth + line for depth in range(int((2 * size) ** 0.5)))


FILES: dict[str, Make] = {
    "nested lists": _repeat(b"["),
    "nested mappings": _repeat(b"{a: "),
    "indented lists": _deeper(b"- \n"),
    "indented mappings": _deeper(b"a:\n"),
    "dashes": _repeat(b"- "),
    "questions": _repeat(b"? "),
    "lists in a flow": _repeat(b"[],", before=b"["),
    "anchors": _repeat(b"&a "),
    "aliases": _repeat(b"*a "),
    "laughs": lambda size: b"".join(b"a%d: &a%d [%s]\n" % (n, n, b"*a%d," % (n - 1) * 9) for n in range(1, size // 70)),
    "tags": _repeat(b"!a "),
    "one long tag": _repeat(b"%41", before=b"!<", after=b"> a"),
    "directives": _numbered(b"%%TAG !a%d! b\n"),
    "directives of a second document": _numbered(b"%%TAG !a%d! b\n", before=b"a\n...\n", after=b"--- a\n"),
    "directives after odd line breaks": _numbered("%%TAG !a%d! b\u2028".encode(), after=b"--- a\n"),
    "documents": _repeat(b"---\n"),
    "numbers": _repeat(b"- 1\n"),
    "empty entries": _repeat(b"- {}\n"),
    "wrong entries": _repeat(b"- a: 1\n"),
    "wrong values": _repeat(b"- value: 1e999\n"),
    "keys": _numbered(b"k%d: 1\n"),
    "keys in a flow": _numbered(b"k%d: 1, ", before=b"{", after=b"}"),
    "the same key": _repeat(b"k: 1\n"),
    "keys without values": _repeat(b"a, ", before=b"{"),
    "colons": _repeat(b":"),
    "one long key": _repeat(b"a", after=b": 1"),
    "quotes": _repeat(b"'"),
    "escapes": _repeat(b"\\u0041", before=b'"', after=b'"'),
    "many lines of plain text": _repeat(b"a\n"),
    "many lines of folded text": _repeat(b"  a\n\n", before=b"- >\n"),
    "comments": _repeat(b"#\n"),
    "blank lines": _repeat(b"\n"),
    "spaces": _repeat(b" "),
    "control characters": _repeat(b"\x01"),
    "byte order marks": _repeat("\ufeff".encode()),
    "line separators": _repeat("\u2028".encode(), before=b"- a\n"),
    "not UTF-8 at the end": _repeat(b"- a\n", after=b"\xff"),
    "a long number": _repeat(b"9", before=b"- {dataset: {id: a/b, task_id: t}, value: ", after=b"}"),
    "long numbers": _repeat(b"- value: " + b"9" * 390 + b"\n"),
    "odd dates": _repeat(b"- {date: 2026-01-01T00:00:00+99:99}\n"),
    "odd addresses": _repeat(b'- {source: {url: "http://[::"}}\n'),
    "long addresses": _repeat(b'- {source: {url: "http://' + b"a" * 1900 + b'"}}\n'),
    "unknown keys of tasks": _numbered(b"- {id: t%d, z: 1}\n", before=_INSPECT),
    "metrics of no task": _numbered(
        b"  k%d: {z: 1}\n", before=b"evaluation_framework: c\nname: x\ntasks: [{id: a}]\nmetrics:\n"
    ),
    "a long template that might be a path": _repeat(b"a/", before=_TEMPLATE, after=b'"}}]}\n'),
    "a long template with open fields": _repeat(b"{a", before=_TEMPLATE, after=b'"}}]}\n'),
    "sound results": _numbered(
        b'- dataset: {id: a/b%d, task_id: t}\n  value: 0.5\n  date: "2026-01-02"\n'
        b'  source: {url: "https://example.org/x", name: Report}\n'
    ),
    "a sound benchmark": _numbered(
        b"- id: t%d\n  field_spec: {input: q, target: a}\n  solvers: [{name: generate}]\n  scorers: [{name: match}]\n",
        before=_INSPECT,
    ),
}
