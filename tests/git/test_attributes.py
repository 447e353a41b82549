"""Patterns of .gitattributes: as git itself matches them, and quickly whatever they are."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glasshub.errors import Invalid
from glasshub.git.attributes import Attributes, line_for, value
from glasshub.git.lfs_rules import LfsRules, covering
from glasshub.git.read import open_repo
from tests.push.gitclient import init

LINES = [
    "*.bin filter=lfs diff=lfs merge=lfs -text", "*.bin -filter", "*.bin !filter", "*.bin filter",
    "/top.bin filter=lfs",
    "dir/** filter=lfs", "**/deep/* filter=lfs", "a?.x filter=lfs", "[ab].y filter=lfs", "# *.bin filter=lfs",
    "!*.bin filter=lfs", "dir/ filter=lfs", r'"sp ace.bin" filter=lfs', r'"\303\274.bin" filter=lfs',
    "ü.bin filter=lfs", "  *.bin\tfilter=lfs  ", "[attr]large filter=lfs -text", "*.bin large", "*.bin -large",
    "[attr]binary2 large", "*.x binary2", "name filter=lfs", "sub/name filter=other", "*.bin filter=lfs -filter",
    "* text=auto", "saved_model/**/* filter=lfs", "*tfevents* filter=lfs", "*.bin =wrong filter=lfs", "",
    r"\!b filter=lfs",
    "[attr] filter=lfs", '"open.bin filter=lfs', "*.bin filter=lfs\r", "*/one filter=lfs", "*.bin binary",
]  # fmt: skip
PATHS = [
    "top.bin", "s/top.bin", "dir/x", "dir/a/b.bin", "deep/q", "p/deep/q", "ab.x", "a.y", "c.y", "sp ace.bin", "ü.bin",
    "name", "sub/name", "t/sub/name", "saved_model/v", "saved_model/1/v", "events.tfevents.1", "!b", "s/one", "one",
    "!b.bin", "open.bin", "dir", "[attr]", "a.bin",
]  # fmt: skip


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    return init(tmp_path_factory.mktemp("attributes") / "tree")


def given_to_lfs(tree, text: str, paths: list[str] = PATHS, file: str = ".gitattributes") -> set[str]:
    """What git says."""
    (tree.path / file).parent.mkdir(exist_ok=True)
    (tree.path / file).write_bytes(text.encode())
    said = tree.git("check-attr", "-z", "filter", "--", *paths).out.split("\0")
    return {path for path, state in zip(said[::3], said[2::3], strict=False) if state == "lfs"}


def ours(*texts: tuple[str, str]) -> set[str]:
    """What we say, by texts and their folders, the nearest first."""
    levels = [(folder, Attributes(text)) for folder, text in texts]
    found = set()
    for path in PATHS:
        speak = [(file, path.removeprefix(folder)) for folder, file in levels if path.startswith(folder)]
        if value("filter", speak) == "lfs":
            found.add(path)
    return found


@pytest.mark.parametrize("line", LINES)
def test_each_line_matches_what_git_matches(tree, line: str):
    assert ours(("", f"{line}\n")) == given_to_lfs(tree, f"{line}\n")


@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from(LINES), min_size=2, max_size=8), st.lists(st.sampled_from(LINES), max_size=3))
def test_lines_together_match_what_git_matches(tree, lines, below):
    given_to_lfs(tree, "\n".join(below), file="dir/.gitattributes")
    assert ours(("dir/", "\n".join(below)), ("", "\n".join(lines))) == given_to_lfs(tree, "\n".join(lines))


@pytest.mark.parametrize(
    "path", ["a.bin", "a/b c.bin", 'q"q', "ü/é", "tab\there", "s*r[x]?", "back\\slash", "#a", "!b"]
)
def test_a_line_for_one_path_is_for_that_path_only(tree, path: str):
    (tree.path / "dir/.gitattributes").unlink(missing_ok=True)
    line = line_for(path, "filter=lfs")
    assert given_to_lfs(tree, line, [path, f"other/{path}", "sxr[x]y"]) == {path}
    assert value("filter", [(Attributes(line), path)]) == "lfs"


def test_rules_of_a_tree_and_the_lines_it_lacks(tmp_path):
    tree = init(tmp_path / "tree")
    tree.write(".gitattributes", "*.bin filter=lfs")
    tree.write("plain/.gitattributes", "*.bin -filter\n")
    tree.commit("Rules")
    with open_repo(tmp_path / "tree" / ".git") as git:
        rules = LfsRules(git, git[git.refs[b"refs/heads/main"]].tree)
        asked = ["a.bin", "x/a.bin", "plain/a.bin", "a.txt", "none/at/all.txt"]
        assert [rules.cover(path) for path in asked] == [True, True, False, False, False]
        text = covering(rules, ["a.bin", "a.txt", "x y/a.txt", "a.txt"])
        states = "filter=lfs diff=lfs merge=lfs -text"
        assert text == f'*.bin filter=lfs\n/a.txt {states}\n"/x y/a.txt" {states}\n'
        assert covering(rules, ["a.bin"]) == ""
        assert covering(rules, ["d/" * 1010 + "x"]) == ""  # git would pass over the line


@pytest.mark.parametrize("pattern", ["*a" * 200 + "b", "**/*a" * 100 + "/b", "[" * 500, "*" * 2000, "?*" * 1000])
def test_hostile_patterns_take_no_time(pattern: str):
    rules = Attributes(f"{pattern} filter=lfs")
    began = time.perf_counter()
    for path in ("a" * 4000, "a/" * 2000 + "c"):
        value("filter", [(rules, path)])
    assert time.perf_counter() - began < 5


def test_macros_that_name_each_other_end():
    rules = Attributes("[attr]a b\n[attr]b a filter=lfs\n*.bin a\n")
    assert value("filter", [(rules, "x.bin")]) == "lfs"


def test_too_many_patterns_are_refused():
    for text in ("*.a filter=lfs\n" * 1001, "a" * 1_000_001):
        with pytest.raises(Invalid):
            Attributes(text)
    Attributes("".join(f"file-{number}.bin filter=lfs\n" for number in range(5000)))
