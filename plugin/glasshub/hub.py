"""The parts of one hub, opened once per process and handed to every use case."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from pluggy import PluginManager

from glasshub.blobs.store import BlobStore, LocalStore
from glasshub.config import Settings
from glasshub.identity import Repo
from glasshub.index.db import Index
from glasshub.plugins import load_plugins
from glasshub.registry.db import Registry
from glasshub.tally import Tally


@dataclass(frozen=True, slots=True)
class Hub:
    """A bare container: rules live in the modules named after their noun, not here."""

    settings: Settings
    registry: Registry
    index: Index
    plugins: PluginManager
    blobs: BlobStore
    tally: Tally = field(default_factory=Tally)

    def git_dir(self, repo: Repo) -> Path:
        """Where the bare repository of ``repo`` lies; moving or renaming the repo does not change it."""
        return self.settings.repos_dir / repo.key[:2] / f"{repo.key}.git"

    def close(self) -> None:
        """Release database connections."""
        self.registry.close()
        self.index.close()


def open_hub(settings: Settings) -> Hub:
    """Open (and where missing, create) the data folder, registry and index of a hub."""
    settings.data.mkdir(parents=True, exist_ok=True, mode=0o750)
    settings.repos_dir.mkdir(exist_ok=True, mode=0o750)
    registry, index = Registry(settings.registry_url), Index(settings.index_path)
    return Hub(settings, registry, index, load_plugins(), LocalStore(settings.data / "blobs"))
