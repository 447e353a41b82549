"""The settings of a runner: one TOML file. Paths in it are relative to it."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from glasshub.errors import Invalid
from glasshub.verify.keys import load_private_key

_REMOTE_CODE = ("trust_remote_code", "trust-remote-code")
Network = Literal["auto", "isolated", "proxies"]
Seconds = Annotated[float, Field(gt=0, le=30 * 24 * 3600)]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CommandEngine(_Strict):
    """A program that serves the weights: ``{model_dir}`` and ``{port}`` are put into its command."""

    kind: Literal["command"]
    name: str
    command: Annotated[list[str], Field(min_length=1)]
    model: str = ""
    wait: Seconds = 900.0
    pass_environment: list[str] = []

    @model_validator(mode="after")
    def _sound(self) -> CommandEngine:
        text = " ".join(self.command)
        if "{model_dir}" not in text or "{port}" not in text:
            raise ValueError("command must name {model_dir}, which is loaded, and {port}, which is listened on")
        if any(word in text for word in _REMOTE_CODE):
            raise ValueError("a runner never runs code that comes with a model: take trust_remote_code out")
        return self


class EndpointEngine(_Strict):
    """An endpoint that is there already: what it serves is not known."""

    kind: Literal["endpoint"]
    name: str
    base_url: str
    model: str = ""
    api_key_file: str = ""


class _File(_Strict):
    hub: Annotated[str, Field(pattern=r"^https?://[^\s]+$")]
    name: str
    token_file: str
    key_file: str
    work: str = "work"
    inspect: str = "inspect"
    inspect_options: list[str] = []
    hardware: str = ""
    timeout: Seconds = 6 * 3600.0
    network: Network = "auto"
    engine: Annotated[CommandEngine | EndpointEngine, Field(discriminator="kind")]


@dataclass(frozen=True, slots=True)
class RunnerSettings:
    """Settings with paths made whole, and what stands in the files they name.

    ``secrets`` are the paths of files that are none of a run's business.
    """

    hub: str
    name: str
    token: str
    key: Ed25519PrivateKey
    work: Path
    inspect: str
    inspect_options: Sequence[str]
    hardware: str
    timeout: float
    engine: CommandEngine | EndpointEngine
    api_key: str = ""
    network: Network = "auto"
    secrets: Sequence[Path] = ()


def load(path: Path) -> RunnerSettings:
    """Read the file. Raises ``Invalid`` when it, or a file that it names, is not as it must be."""
    try:
        said = _File.model_validate(tomllib.loads(path.read_text("utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise Invalid(f"{path} cannot be read: {error}.") from error
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        raise Invalid(f"{path}: {'.'.join(str(part) for part in problem['loc'])}: {problem['msg']}.") from error
    folder = path.resolve().parent
    key_file = folder / said.key_file
    if key_file.exists() and key_file.stat().st_mode & 0o077:
        raise Invalid(f"Others can read {key_file}. Close it: chmod 600.")
    engine = said.engine
    api_key_file = engine.api_key_file if isinstance(engine, EndpointEngine) else ""
    api_key = _read(folder / api_key_file) if api_key_file else ""
    secrets = [folder / name for name in (said.key_file, said.token_file, api_key_file) if name]
    return RunnerSettings(
        said.hub.rstrip("/"), said.name, _read(folder / said.token_file), load_private_key(_read(key_file).encode()),
        folder / said.work / "runs", said.inspect, said.inspect_options, said.hardware, said.timeout, engine, api_key,
        said.network, secrets,
    )  # fmt: skip


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid(f"{path} cannot be read: {error}.") from error
