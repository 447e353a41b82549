"""nginx beside the hub: it receives and serves the same bytes, with no work but that.

Started with a configuration of its own below a temporary folder. It takes files by PUT (WebDAV) and serves them; it
also passes everything else on to the hub, but sends the bytes of xorbs by itself, so that a Xet client can be timed
against both.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import process

CONFIGURATION = """
daemon off;
worker_processes 2;
pid {folder}/pid;
error_log {folder}/error.log;
{user}
events {{ worker_connections 256; }}
http {{
    access_log off;
    sendfile on;
    tcp_nopush on;
    client_max_body_size 0;
    client_body_temp_path {folder}/incoming;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/unused;
    scgi_temp_path {folder}/unused;
    uwsgi_temp_path {folder}/unused;
    proxy_request_buffering off;
    server {{
        listen 127.0.0.1:{port};
        location /files/ {{
            alias {folder}/files/;
            dav_methods PUT;
        }}
        location ~ "^/cas/xorbs/(..)(..)(.*)$" {{
            alias {blobs}/xorbs/$1/$2/$1$2$3;
        }}
        location / {{
            proxy_pass http://127.0.0.1:{hub};
            proxy_set_header Host $http_host;
        }}
    }}
}}
"""


@dataclass(frozen=True)
class Nginx:
    """A running nginx; ``files`` is what it serves below ``/files/``."""

    port: int
    files: Path

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def beside(hub: process.Server, folder: Path, blobs: Path) -> Iterator[Nginx]:
    """nginx beside a hub whose large files lie in ``blobs``, until the block ends. ``folder`` is its own."""
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if program is None:
        sys.exit("nginx is not installed, and this measures against it: apt-get install nginx-light")
    files = folder / "files"
    files.mkdir(parents=True)
    port = process.free_port()
    # Its workers read and write what is ours.
    user = "user root;" if Path(program).owner() == Path("/proc/self").owner() == "root" else ""
    text = CONFIGURATION.format(folder=folder, port=port, hub=hub.port, blobs=blobs, user=user)
    (folder / "nginx.conf").write_text(text)
    command = [program, "-p", str(folder), "-e", str(folder / "error.log"), "-c", str(folder / "nginx.conf")]
    started = subprocess.Popen(command)
    try:
        process.wait_for(started, port)
        yield Nginx(port, files)
    finally:
        process.stop(started)
