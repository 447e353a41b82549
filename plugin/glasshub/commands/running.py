"""``serve`` and ``demo``.

They load the web server's libraries when they run: the other commands start in two thirds of the time without them.
"""

from __future__ import annotations

import click

from glasshub.config import Settings

_host = click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
_port = click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535), help="TCP port.")


@click.command()
@_host
@_port
@click.option("--workers", type=click.IntRange(1, 64), help="Processes (one per core by default).")
@click.pass_obj
def serve(settings: Settings, host: str, port: int, workers: int | None) -> None:
    """Serve the hub until told to stop."""
    from glasshub.serve import serve as serve_hub

    def ready() -> None:
        click.echo(f"Glasshub serves {settings.data} on http://{host}:{port}", err=True)

    serve_hub(settings, host=host, port=port, workers=workers, on_ready=ready)


@click.command()
@_host
@_port
@click.pass_obj
def demo(settings: Settings, host: str, port: int) -> None:
    """Make a demo hub from the sample repos (once) and serve it."""
    from glasshub import demo as demo_hub

    demo_hub.run(settings, host=host, port=port)


COMMANDS = (serve, demo)
