"""Settings: defaults, then ``glasshub.toml`` in the data folder, then ``GLASSHUB_*`` in the environment."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal

from glasshub.errors import Invalid

DEFAULT_DATA = "./glasshub-data"


@dataclass(frozen=True, slots=True)
class Settings:
    """Every setting of a hub. Sizes are bytes, times seconds; docs/settings.md explains each."""

    data: Path
    name: str = "Glasshub"
    public_url: str = ""
    database: str = ""
    benchmarks: Literal["open", "shortlist"] = "open"
    create_on_push: bool = True
    max_push_bytes: int = 2 * 1024**3
    max_inflated_bytes: int = 8 * 1024**3
    max_object_bytes: int = 1024**3
    max_push_objects: int = 2_000_000
    max_file_bytes: int = 200 * 1024**3
    max_commit_bytes: int = 512 * 1024**2
    max_upload_bytes: int = 50 * 1024**2
    max_log_bytes: int = 256 * 1024**2
    lock_timeout: float = 30.0
    stall_timeout: float = 120.0
    session_seconds: int = 30 * 24 * 3600
    trusted_proxies: int = 0
    threads: int = 8
    webhooks_per_user: int = 20
    webhooks_private_addresses: bool = False
    webhook_timeout: float = 10.0
    webhook_retry_seconds: float = 15.0
    audit_seconds: float = 120.0
    audit_memory: int = 1024**3

    @property
    def repos_dir(self) -> Path:
        """Where the bare git repositories lie."""
        return self.data / "repos"

    @property
    def registry_url(self) -> str:
        """SQLAlchemy URL of the registry (a SQLite file unless ``database`` names another)."""
        return self.database or f"sqlite:///{self.data / 'registry.sqlite'}"

    @property
    def index_path(self) -> Path:
        """The disposable index."""
        return self.data / "index.sqlite"


def load(data: str | os.PathLike[str] | None = None, *, environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings of one hub.

    Args:
        data: the data folder; ``GLASSHUB_DATA`` or ``./glasshub-data`` when ``None``. It need not exist yet.
        environ: the environment to read (``os.environ`` by default).

    Raises:
        Invalid: an unknown key, a value of the wrong kind, or a file that is not TOML.
    """
    env = os.environ if environ is None else environ
    folder = Path(data or env.get("GLASSHUB_DATA") or DEFAULT_DATA).resolve()
    values = _from_file(folder / "glasshub.toml")
    for field in fields(Settings):
        if field.name != "data" and f"GLASSHUB_{field.name.upper()}" in env:
            values[field.name] = env[f"GLASSHUB_{field.name.upper()}"]
    return Settings(data=folder, **{key: _convert(key, value) for key, value in values.items()})


def _from_file(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Invalid(f"{path} is not valid TOML: {error}. Correct the file and start again.") from error


def _convert(key: str, value: Any) -> Any:
    defaults: dict[str, Any] = {f.name: f.default for f in fields(Settings) if f.name != "data"}
    if key not in defaults:
        raise Invalid(f"Unknown setting {key!r}. Known settings: {', '.join(sorted(defaults))}.")
    if key == "benchmarks" and value not in ("open", "shortlist"):
        raise Invalid(f"Setting benchmarks is {value!r}; it must be one of: open, shortlist.")
    kind: type = type(defaults[key])
    if kind is bool:
        return _boolean(key, value)
    try:
        converted = kind(value)
    except (TypeError, ValueError) as error:
        raise Invalid(f"Setting {key} is {value!r}; it must be a {kind.__name__}.") from error
    if kind in (int, float) and converted < 0:
        raise Invalid(f"Setting {key} is {value!r}; it must not be negative.")
    return converted.rstrip("/") if key == "public_url" else converted


def _boolean(key: str, value: Any) -> bool:
    words = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}
    word = str(value).lower()
    if word not in words:
        raise Invalid(f"Setting {key} is {value!r}; it must be true or false.")
    return words[word]
