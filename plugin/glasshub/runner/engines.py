"""Engines: a program that serves the weights, or an endpoint that is there already; either speaks OpenAI's protocol."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from http.client import HTTPException
from pathlib import Path
from typing import Literal
from urllib.request import ProxyHandler, Request, build_opener

from glasshub.errors import GlasshubError, Invalid
from glasshub.runner.inspect_run import clean_environment
from glasshub.runner.processes import Guarded
from glasshub.runner.relays import Relay
from glasshub.runner.rooms import room_for
from glasshub.runner.settings import CommandEngine, EndpointEngine, RunnerSettings

_GPU = ("CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "LD_LIBRARY_PATH", "CUDA_HOME")
Watch = Callable[[], None]
"""Called while waiting; raises when the run is to end."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where the model answers, under which name, and what is known of what answers there."""

    base_url: str
    model: str
    served: Literal["weights", "endpoint"]
    api_key: str = field(default="none", repr=False)


@contextmanager
def engine(settings: RunnerSettings, model_dir: Path, folder: Path, watch: Watch) -> Iterator[Endpoint]:
    """The engine for the length of the block.

    Args:
        settings: of the runner.
        model_dir: the weights.
        folder: for its home and what it says.
        watch: called while it starts.

    Raises:
        GlasshubError: it does not come up.
    """
    wanted = settings.engine
    if isinstance(wanted, EndpointEngine):
        model = wanted.model or _first_model(wanted.base_url, settings.api_key)
        yield Endpoint(wanted.base_url, model, "endpoint", settings.api_key or "none")
        return
    home = folder / "engine-home"
    home.mkdir()
    isolated = settings.network == "isolated"
    listener = socket.create_server(("127.0.0.1", 0))
    port = int(listener.getsockname()[1])
    command = [part.replace("{model_dir}", str(model_dir)).replace("{port}", str(port)) for part in wanted.command]
    room = room_for([], settings.secrets) if isolated else None
    if not isolated:
        listener.close()  # the engine itself is to listen there
    environment = _environment(wanted, home, settings.hub)
    with closing(listener), Guarded(command, environment, folder, folder / "engine.txt", room=room) as process:
        base_url = f"http://127.0.0.1:{port}/v1"
        with closing(Relay(listener, partial(process.dial, port))) if isolated else nullcontext():
            yield Endpoint(base_url, _wait(process, base_url, wanted, watch), "weights")


def _environment(wanted: CommandEngine, home: Path, hub: str) -> dict[str, str]:
    passed = {name: os.environ[name] for name in (*_GPU, *wanted.pass_environment) if name in os.environ}
    offline = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}
    return {**clean_environment(home, hub), **offline, **passed}


def _wait(process: Guarded, base_url: str, wanted: CommandEngine, watch: Watch) -> str:
    deadline = time.monotonic() + wanted.wait
    while time.monotonic() < deadline:
        watch()
        if process.code is not None:
            raise GlasshubError(f"The engine ended with exit code {process.code}: {process.tail()[-300:]}")
        try:
            return wanted.model or _first_model(base_url, "")
        except GlasshubError:
            time.sleep(0.3)
    raise GlasshubError(f"The engine did not answer within {wanted.wait:g} seconds: {process.tail()[-300:]}")


def _first_model(base_url: str, api_key: str) -> str:
    headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
    request = Request(f"{base_url.rstrip('/')}/models", headers=headers)  # noqa: S310
    try:
        with build_opener(ProxyHandler({})).open(request, timeout=10) as answer:
            found = json.load(answer)
        return str(found["data"][0]["id"])
    except (OSError, HTTPException, ValueError, LookupError, TypeError) as error:
        raise GlasshubError(f"{base_url} names no model: {error}. Name it in the settings of the engine.") from error


def model_name(endpoint: Endpoint) -> str:
    """What Inspect calls the model. Raises ``Invalid`` for a name that it would read otherwise."""
    if not endpoint.model or any(character.isspace() for character in endpoint.model):
        raise Invalid(f"The engine calls its model {endpoint.model!r}, which cannot be asked for.")
    return f"openai-api/engine/{endpoint.model}"
