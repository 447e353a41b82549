"""Settings come from the file, then the environment, and mistakes are named."""

from __future__ import annotations

from pathlib import Path

import pytest

from glasshub.config import load
from glasshub.errors import Invalid


def test_defaults_file_and_environment_in_that_order(tmp_path: Path):
    (tmp_path / "glasshub.toml").write_text('name = "Lab hub"\nbenchmarks = "shortlist"\nthreads = 3\n')
    settings = load(tmp_path, environ={"GLASSHUB_THREADS": "5", "GLASSHUB_CREATE_ON_PUSH": "no"})
    assert (settings.name, settings.benchmarks, settings.threads) == ("Lab hub", "shortlist", 5)
    assert settings.create_on_push is False
    assert settings.lock_timeout == 30.0


def test_the_data_folder_comes_from_the_argument_then_the_environment(tmp_path: Path):
    assert load(None, environ={"GLASSHUB_DATA": str(tmp_path)}).data == tmp_path
    assert load(tmp_path / "x", environ={"GLASSHUB_DATA": "/elsewhere"}).data == tmp_path / "x"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("bench = 1", "Unknown setting 'bench'"),
        ('benchmarks = "closed"', "one of: open, shortlist"),
        ('threads = "many"', "must be a int"),
        ("threads = -1", "must not be negative"),
        ('create_on_push = "perhaps"', "true or false"),
        ("name = ", "not valid TOML"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, text: str, said: str):
    (tmp_path / "glasshub.toml").write_text(text)
    with pytest.raises(Invalid, match=said):
        load(tmp_path, environ={})


def test_the_public_url_has_no_trailing_slash(tmp_path: Path):
    assert load(tmp_path, environ={"GLASSHUB_PUBLIC_URL": "https://hub.example/"}).public_url == "https://hub.example"
