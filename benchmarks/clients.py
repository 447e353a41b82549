"""What stock clients reach: transfers of a large file by every way, a small change, many small files, metadata.

    python benchmarks/clients.py [--size MB] [--files N] [--times N] [--only WORD] [--quick]

Starts ``glasshub serve`` on an empty hub and nginx beside it (nginx.py) for every round, and does everything in turns.
The large file is like float32 weights: of four bytes one is of few kinds. Uploads and downloads marked *stock* are
made by ``huggingface_hub`` in a process of its own, the others by a bare HTTP client that does nothing with the bytes,
the same one for hub and nginx.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import nginx
import process
import relay
import timing
from blake3 import blake3

from glasshub import accounts
from glasshub.config import Settings
from glasshub.hub import open_hub

BLOCK = 1024**2
CLIENTS = 16
WHO = "ada"
PLAIN = {"HF_HUB_DISABLE_XET": "1"}


@dataclass
class Round:
    """One round: a hub with its large files, nginx, a file, and what was found by name: MB/s, or what the name says."""

    hub: process.Server
    peer: nginx.Nginx
    token: str
    folder: Path
    file: Path
    blobs: Path
    found: dict[str, float] = field(default_factory=dict)
    worked: float = 0  # seconds of the processor that the last stock client took

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return self.file.stat().st_size

    def transfer(self, name: str, action: Callable[[], float | None]) -> None:
        """Note how fast ``action`` moves the file; it may return the seconds that count."""
        before, start = self.hub.processor(), time.perf_counter()
        self.worked = 0
        seconds = action() or time.perf_counter() - start
        speed = self.size / 1e6 / seconds
        own, system = (now - then for now, then in zip(self.hub.processor(), before, strict=True))
        self.found[name] = speed
        self.found[f"{name}: processor seconds of the hub"] = own + system
        worked = f"processor: hub {own:4.1f} s + {system:4.1f} s system"
        if self.worked:
            worked += f", client {self.worked:4.1f} s"
        timing.line(name, f"{speed:8,.0f} MB/s   {seconds:6.1f} s   {worked}   {self.hub.memory().pss:4.0f} MB")

    def client(self, code: str, *, home: str, url: str = "", **env: str) -> float:
        """Run code with the stock client; the seconds that it took after its imports."""
        environment = {
            **os.environ, "HF_ENDPOINT": url or self.hub.url, "HF_HOME": str(self.folder / home),
            "HF_TOKEN": self.token, "HF_HUB_DISABLE_PROGRESS_BARS": "1", "HF_HUB_DISABLE_TELEMETRY": "1", **env,
        }  # fmt: skip
        program = (
            "import time\nfrom huggingface_hub import *\napi = HfApi()\nfile = " + repr(str(self.file)) + "\n"
            "api.whoami()\nstart, worked = time.perf_counter(), time.process_time()\n" + code + "\n"
            "print(time.perf_counter() - start, time.process_time() - worked)"
        )
        done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(done.stderr)
        seconds, self.worked = map(float, done.stdout.split()[-2:])
        return seconds


def write_weights(path: Path, size: int) -> None:
    """Bytes like float32 weights."""
    exponents = bytes(0x38 + (n % 8) for n in range(256))
    with path.open("wb") as file:
        for at in range(0, size, BLOCK):
            block = bytearray(os.urandom(min(BLOCK, size - at)))
            block[3::4] = block[3::4].translate(exponents)
            file.write(block)


def put(url: str, path: Path) -> None:
    """PUT a file as it is."""
    parts = urlsplit(url)
    with closing(HTTPConnection(parts.netloc, blocksize=BLOCK, timeout=600)) as connection, path.open("rb") as file:
        headers = {"Content-Length": str(path.stat().st_size)}
        connection.request("PUT", f"{parts.path}?{parts.query}", file, headers)
        answer = connection.getresponse()
        said = answer.read()
        assert answer.status < 300, (answer.status, said)


def get(url: str, size: int, headers: dict[str, str] | None = None) -> None:
    """GET ``size`` bytes and drop them."""
    parts = urlsplit(url)
    buffer, have = bytearray(BLOCK), 0
    with closing(HTTPConnection(parts.netloc, timeout=600)) as connection:
        connection.request("GET", f"{parts.path}?{parts.query}", headers=headers or {})
        answer = connection.getresponse()
        assert answer.status == 200, answer.status
        while count := answer.readinto(buffer):
            have += count
    assert have == size


def forget(folder: Path) -> None:
    """Let the system's page cache forget the files below a folder."""
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())  # what is still to be written is not forgotten
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def hashing(path: Path, name: str, new: Callable[[], hashlib._Hash]) -> float:
    """How fast one core hashes the file, read from the page cache, in MB/s."""
    digest, start = new(), time.perf_counter()
    with path.open("rb") as file:
        while data := file.read(BLOCK):
            digest.update(data)
    speed = path.stat().st_size / 1e6 / (time.perf_counter() - start)
    timing.line(f"{name} alone, one core", f"{speed:8,.0f} MB/s")
    return speed


def basic_address(at: Round, repo: str, operation: str, sha256: str) -> str:
    """Where git-lfs would bring or fetch the file."""
    body = {"operation": operation, "transfers": ["basic"], "objects": [{"oid": sha256, "size": at.size}]}
    with closing(HTTPConnection("127.0.0.1", at.hub.port)) as connection:
        headers = {"Authorization": f"Bearer {at.token}", "Content-Type": "application/json"}
        connection.request("POST", f"/{repo}.git/info/lfs/objects/batch", json.dumps(body), headers)
        said = json.load(connection.getresponse())
    address: str = said["objects"][0]["actions"][operation]["href"]
    return address


def transfers(at: Round) -> None:
    """The large file, by every way."""
    at.found["sha256 alone, one core"] = hashing(at.file, "sha256", hashlib.sha256)
    at.found["blake3 alone, one core"] = hashing(at.file, "blake3", blake3)
    with at.file.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    at.client("[api.create_repo(f'ada/{name}') for name in ('basic', 'multipart', 'xet')]", home="admin")
    upload = "api.upload_file(path_or_fileobj=file, path_in_repo='model.bin', repo_id='ada/{}')"
    at.transfer("upload to nginx (PUT)", lambda: put(f"{at.peer.url}/files/model.bin", at.file))
    address = basic_address(at, "ada/basic", "upload", sha256)
    at.transfer("upload to the hub (LFS basic)", lambda: put(address, at.file))
    at.transfer("upload, stock, LFS multipart", lambda: at.client(upload.format("multipart"), home="a", **PLAIN))
    at.transfer("upload, stock, Xet", lambda: at.client(upload.format("xet"), home="b"))
    where = basic_address(at, "ada/basic", "download", sha256)
    for folder in (at.peer.files, at.blobs / "files"):
        forget(folder)
    for when in (", from the disk", ""):
        at.transfer(f"download from nginx{when}", lambda: get(f"{at.peer.url}/files/model.bin", at.size))
        at.transfer(f"download from the hub (LFS){when}", lambda: get(where, at.size))
    resolve = "{}/ada/{}/resolve/main/model.bin".format
    at.transfer("download from the hub (resolve)", lambda: get(resolve(at.hub.url, "multipart"), at.size))
    at.transfer("download of a Xet file over plain HTTP", lambda: get(resolve(at.hub.url, "xet"), at.size))
    fetch = "hf_hub_download('ada/xet', 'model.bin')"
    at.transfer("download, stock, Xet, xorbs from nginx", lambda: at.client(fetch, home="c", url=at.peer.url))
    at.transfer("download, stock, Xet, xorbs from the hub", lambda: at.client(fetch, home="d"))
    for home in "cd":
        shutil.rmtree(at.folder / home)


def change(at: Round) -> None:
    """A file comes, then one percent of it, in twenty places, is another: what is sent, and how long it takes.

    Once by the client that sent the file, and, with another percent changed, by one that has sent nothing before.
    """
    write_weights(at.file, at.size)
    code = "api.create_repo('ada/{0}'); api.upload_file(path_or_fileobj=file, path_in_repo='m.bin', repo_id='ada/{0}')"
    with relay.counting(at.hub.port) as counted:  # what clients remember, they remember of one address
        url = f"http://127.0.0.1:{counted.port}"
        at.client(code.format("changed"), home="b", url=url)
        whole = counted.sent
        for name, home, repo in (("the same client", "b", "changed"), ("a fresh client", "fresh", "other")):
            change_a_percent(at)
            before = counted.sent
            seconds = at.client(code.format(repo).replace("')", "', exist_ok=True)", 1), home=home, url=url)
            share = (counted.sent - before) / at.size * 100
            at.found[f"1 % changed, {name}: % sent"] = share
            at.found[f"1 % changed, {name}: seconds"] = seconds
            sent = f"{(counted.sent - before) / 1e6:8,.1f} MB sent of {at.size / 1e6:,.0f} ({share:.2f} %)"
            timing.line(f"1 % changed, {name}", f"{sent}   {seconds:6.1f} s")
    at.found["whole file by Xet: % sent"] = whole / at.size * 100


def change_a_percent(at: Round) -> None:
    """Write something else to twenty places of the file."""
    length = at.size // 2000
    with at.file.open("r+b") as file:
        for place in range(20):
            file.seek(at.size // 20 * place + random.randrange(at.size // 40))
            file.write(os.urandom(length))


def small_files(at: Round, count: int) -> None:
    """Many small files by one ``upload_folder``, and the same by PUT to nginx."""
    folder, chance = at.folder / "small", random.Random(1)
    for number in range(count):
        path = folder / f"{number % 50:02d}" / f"{number}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(chance.randbytes(chance.randrange(200, 4000)).hex().encode())
    code = f"api.create_repo('ada/small'); api.upload_folder(folder_path={str(folder)!r}, repo_id='ada/small')"
    seconds = at.client(code, home="small-files")
    start = time.perf_counter()
    with closing(HTTPConnection("127.0.0.1", at.peer.port)) as connection:
        for path in folder.rglob("*.txt"):
            connection.request("PUT", f"/files/{path.name}", path.read_bytes())
            connection.getresponse().read()
    peer = time.perf_counter() - start
    at.found[f"{count:,} small files, stock: seconds"] = seconds
    timing.line(f"{count:,} small files, upload_folder", f"{seconds:6.1f} s   one PUT each to nginx {peer:6.1f} s")


def metadata(at: Round, seconds: float) -> None:
    """What clients ask all the time, by many at once; and bytes of the same sizes from nginx."""
    paths = [
        "/api/models/ada/meta", "/api/models/ada/meta/tree/main", "/ada/meta/resolve/main/config.json",
        "/api/models/ada/meta/revision/main",
    ]  # fmt: skip
    code = (
        "api.create_repo('ada/meta')\n"
        "api.create_commit('ada/meta', commit_message='x', operations=["
        "CommitOperationAdd(f'{n}.json' if n else 'config.json', b'{}') for n in range(20)])"
    )
    at.client(code, home="metadata")
    for number, path in enumerate(paths):
        with closing(HTTPConnection("127.0.0.1", at.hub.port)) as connection:
            connection.request("GET", path)
            answer = connection.getresponse()
            (at.peer.files / f"answer{number}").write_bytes(answer.read())
            assert answer.status == 200, path
    at.found["metadata: answers/s"], at.found["metadata: p99 ms"] = _load("the hub", at.hub.port, paths, seconds)
    static = [f"/files/answer{number}" for number in range(len(paths))]
    at.found["metadata, nginx: answers/s"], at.found["metadata, nginx: p99 ms"] = _load(
        "nginx", at.peer.port, static, seconds
    )


def _load(name: str, port: int, paths: list[str], seconds: float) -> tuple[float, float]:
    taken: list[float] = []
    end = time.monotonic() + seconds

    def ask(place: int) -> None:
        with closing(HTTPConnection("127.0.0.1", port)) as connection:
            while time.monotonic() < end:
                start = time.perf_counter()
                connection.request("GET", paths[place % len(paths)])
                answer = connection.getresponse()
                answer.read()
                assert answer.status == 200, answer.status
                taken.append((time.perf_counter() - start) * 1000)
                place += 1

    threads = [threading.Thread(target=ask, args=(place,)) for place in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    durations, rate = timing.Durations(taken), len(taken) / seconds
    timing.line(f"metadata from {name}, {CLIENTS} clients at once", f"{durations}   {rate:,.0f} answers/s")
    return rate, durations.p99


@contextmanager
def one_round(size: int) -> Iterator[Round]:
    """An empty hub with one user, nginx, and a fresh file; all of it is removed afterwards."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        data, file = folder / "data", folder / "model.bin"
        write_weights(file, size)
        hub = open_hub(Settings(data=data))
        accounts.add_user(hub, WHO)
        token, _ = accounts.create_token(hub, WHO, scope="write")
        hub.close()
        with process.hub_server(data) as server, nginx.beside(server, folder / "nginx", data / "blobs") as peer:
            yield Round(server, peer, token, folder, file, data / "blobs")


PAIRS = (
    ("upload to the hub (LFS basic)", "upload to nginx (PUT)"),
    ("upload to the hub (LFS basic)", "sha256 alone, one core"),
    ("upload, stock, LFS multipart", "upload to nginx (PUT)"),
    ("upload, stock, Xet", "upload to nginx (PUT)"),
    ("download from the hub (LFS), from the disk", "download from nginx, from the disk"),
    ("download from the hub (LFS)", "download from nginx"),
    ("download from the hub (resolve)", "download from nginx"),
    ("download of a Xet file over plain HTTP", "download from nginx"),
    ("download, stock, Xet, xorbs from the hub", "download, stock, Xet, xorbs from nginx"),
)


def report(rounds: list[dict[str, float]]) -> None:
    """Medians over the rounds, and medians of the ratios within them."""
    if len(rounds) > 1:
        print(f"\nmedians of {len(rounds)} rounds")
        for name in rounds[0]:
            timing.line(name, f"{statistics.median(found[name] for found in rounds):10,.1f}")
    print()
    for name, peer in PAIRS:
        ratios = [found[name] / found[peer] for found in rounds if name in found and peer in found]
        if ratios:
            timing.line(f"{name} / {peer}", f"x{statistics.median(ratios):.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=2000, help="MB of the large file")
    parser.add_argument("--files", type=int, default=5000, help="number of small files")
    parser.add_argument("--times", type=int, default=3, help="rounds")
    parser.add_argument("--only", default="", choices=("", "large", "small", "metadata"))
    parser.add_argument("--quick", action="store_true", help="little of everything, to see that it works")
    options = parser.parse_args()
    if options.quick:
        options.size, options.files, options.times = 30, 50, 1
    timing.heading("stock clients")
    rounds = []
    for _ in range(options.times):
        large = options.only in ("", "large")
        with one_round(options.size * 1_000_000 if large else BLOCK) as at, at.hub.peak() as memory:
            at.found["memory at rest, MB PSS"] = at.hub.memory().pss
            timing.line(
                "memory of the hub at rest, all processes, PSS", f"{at.found['memory at rest, MB PSS']:,.0f} MB"
            )
            if large:
                transfers(at)
                change(at)
            if options.only in ("", "small"):
                small_files(at, options.files)
            if options.only in ("", "metadata"):
                metadata(at, 1 if options.quick else 15)
            at.found["most memory, MB PSS"] = max(memory, default=0)
            timing.line("memory of the hub, PSS of all processes", f"at most {at.found['most memory, MB PSS']:,.0f} MB")
            rounds.append(at.found)
    report(rounds)


if __name__ == "__main__":
    main()
