"""Whether a run can have a network of its own here: tried once, with the real thing, before the first run."""

from __future__ import annotations

import os
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from glasshub.errors import GlasshubError, Invalid
from glasshub.runner.processes import Guarded
from glasshub.runner.rooms import room_for
from glasshub.runner.settings import EndpointEngine, RunnerSettings

_SECONDS = 30.0


def decided(settings: RunnerSettings) -> tuple[RunnerSettings, str]:
    """The settings with ``network`` as ``isolated`` or ``proxies``, and why it is not the former (``""``: it is).

    Raises:
        Invalid: the settings demand ``isolated``, and this machine does not allow it.
    """
    if settings.network == "proxies":
        return settings, "the settings say so"
    try:
        _try(settings)
    except GlasshubError as error:
        if settings.network == "isolated":
            raise Invalid(f'{error.message} Take network = "isolated" out of the settings to run without.') from error
        return replace(settings, network="proxies"), error.message
    return replace(settings, network="isolated"), ""


def _try(settings: RunnerSettings) -> None:
    reach = [settings.hub, *([settings.engine.base_url] if isinstance(settings.engine, EndpointEngine) else [])]
    room = room_for(reach, settings.secrets)
    with tempfile.TemporaryDirectory(prefix="glasshub-") as name:
        folder = Path(name)
        with Guarded(["true"], dict(os.environ), folder, folder / "said", room=room) as process:
            deadline = time.monotonic() + _SECONDS
            while process.code is None and time.monotonic() < deadline:
                time.sleep(0.05)
            if process.code != 0:
                raise GlasshubError(f"Nothing could be started in a network of its own: {process.tail()[-300:]}")
