"""Stock Inspect as a process of its own, in an environment that knows nothing of this machine."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from glasshub.errors import Invalid, NotFound
from glasshub.verify.digests import sha256

NOWHERE = "http://127.0.0.1:9"  # a proxy that nobody answers at
_KEPT = ("PATH", "LANG", "LC_ALL", "SSL_CERT_FILE", "SSL_CERT_DIR")


@dataclass(frozen=True, slots=True)
class Inspect:
    """An installed Inspect.

    Attributes:
        program: its command.
        options: further options of ``inspect eval``, such as those of generation.
    """

    program: Path
    options: Sequence[str] = field(default=())

    def version(self) -> str:
        """Its version. Raises ``NotFound`` when it does not run."""
        return _output([str(self.program), "--version"]).split()[-1]

    def lock(self) -> str:
        """The SHA-256 of the list of packages beside it, as ``pip freeze`` prints it. Raises ``NotFound``."""
        python = self.program.resolve().parent / "python"
        return sha256(_output([str(python), "-m", "pip", "freeze", "--all"]).encode())

    def command(self, task: str, model: str, logs: Path, *, mark: str = "") -> list[str]:
        """The command that runs a task.

        Args:
            task: as Inspect calls it.
            model: likewise.
            logs: the folder that the log goes to.
            mark: what the log is to say in its metadata as ``hub_run`` (never digits only: those become a number).
        """
        command = [str(self.program), "eval", task, "--model", model, "--log-dir", str(logs), "--log-format", "eval"]
        command += ["--display", "plain"]
        return [*command, *(["--metadata", f"hub_run={mark}"] if mark else []), *self.options]


def find_inspect(named: str = "") -> Inspect:
    """The Inspect of that path, or the one on PATH. Raises ``NotFound``."""
    found = shutil.which(named or "inspect")
    if found is None:
        raise NotFound(f"{named or 'inspect'} is not installed. Install it: pip install 'glasshub[runner]'.")
    return Inspect(Path(found))


def clean_environment(home: Path, hub: str, *, reach: Sequence[str] = (), token: str = "") -> dict[str, str]:
    """An environment with an empty home, in which well-behaved programs reach the hub and nothing else.

    Args:
        home: an empty folder, which becomes the home and holds what is downloaded.
        hub: the hub's address.
        reach: further addresses that may be reached (an endpoint).
        token: for the hub, where repos need one.
    """
    hosts = {"127.0.0.1", "localhost", *(urlsplit(address).hostname or "" for address in (hub, *reach))} - {""}
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    names = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")
    return {
        **kept,
        **dict.fromkeys(names, NOWHERE),
        **dict.fromkeys(("NO_PROXY", "no_proxy"), ",".join(sorted(hosts))),
        "HOME": str(home),
        "TMPDIR": str(home),
        "HF_HOME": str(home / "hf"),
        "HF_ENDPOINT": hub,
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "INSPECT_DISPLAY": "plain",
        **({"HF_TOKEN": token} if token else {}),
    }


def only_log(folder: Path) -> Path:
    """The log that a run left. Raises ``Invalid`` when there is none, or more than one."""
    logs = sorted(folder.glob("*.eval"))
    if len(logs) != 1:
        raise Invalid(f"Inspect left {len(logs)} logs where one was expected.")
    return logs[0]


def _output(command: Sequence[str], environment: Mapping[str, str] | None = None) -> str:
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        raise NotFound(f"{command[0]} does not run ({error}). Name an installed Inspect.") from error
    return done.stdout.strip()
