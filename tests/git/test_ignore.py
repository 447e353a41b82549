"""Patterns of .gitignore: as git itself matches them, and quickly whatever they are."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glasshub.errors import Invalid
from glasshub.git.ignore import Ignore
from tests.push.gitclient import init

PATTERNS = [
    "*.log", "build/", "/top", "a/b", "!keep.log", "# comment", r"\#name", "doc/**", "**/deep", "x/**/y", "[ab].txt",
    "[!ab].md", "[^0-9].c", "te?t", "*.tar.*", r"sp\ ", "trail  ", "", "/", "!", "a*b*c", "[", "[z-a]", "**", "*/one",
    "**/m/**/n", "foo/*", r"\!bang", "[]]x", "w\\*",
]  # fmt: skip
PATHS = [
    "a.log", "keep.log", "d/keep.log", "build", "build/x", "s/build/x", "top", "s/top", "a/b", "s/a/b", "a/b/c",
    "#name", "doc/x", "doc", "deep", "p/deep/q", "x/y", "x/1/y", "x/1/2/y", "a.txt", "c.txt", "a.md", "c.md", "x.c",
    "1.c", "test", "tet", "q.tar.gz", "sp ", "trail", "aXbYc", "abc", "ab", "s/one", "one", "m/n", "1/m/2/n/3", "foo/1",
    "foo/1/2", "!bang", "]x", "w*", "wx", "ü/é.log",
]  # fmt: skip


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    return init(tmp_path_factory.mktemp("ignore") / "tree")


def ignored(tree, text: str, paths: list[str]) -> set[str]:
    """What git says."""
    (tree.path / ".gitignore").write_text(text)
    asked = tree.git("-c", "core.quotePath=false", "check-ignore", "--no-index", "--", *paths, check=False)
    return set(asked.out.splitlines())


@pytest.mark.parametrize("pattern", PATTERNS)
def test_each_pattern_matches_what_git_matches(tree, pattern: str):
    rules = Ignore(f"{pattern}\n")
    assert {path for path in PATHS if rules.excludes(path)} == ignored(tree, f"{pattern}\n", PATHS)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from(PATTERNS), min_size=2, max_size=8))
def test_patterns_together_match_what_git_matches(tree, patterns):
    text = "\n".join(patterns)
    rules = Ignore(text)
    assert {path for path in PATHS if rules.excludes(path)} == ignored(tree, text, PATHS)


@pytest.mark.parametrize("pattern", ["*a" * 200 + "b", "**/*a" * 100 + "/b", "[" * 500, "*" * 3000, "?*" * 1000])
def test_hostile_patterns_take_no_time(pattern: str):
    rules = Ignore(pattern)
    began = time.perf_counter()
    for path in ("a" * 4000, "a/" * 2000 + "c"):
        rules.excludes(path)
    assert time.perf_counter() - began < 5


def test_too_many_patterns_are_refused():
    for text in ("a\n" * 1001, "a" * 100_001):
        with pytest.raises(Invalid):
            Ignore(text)
