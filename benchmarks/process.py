"""Servers as processes of their own: start, stop, and how much memory they hold."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

START_SECONDS = 300
STOP_SECONDS = 20
PEAK_SECONDS = 0.2
SETTLE_SECONDS = 1  # until a worker has loaded what it needs
_FIELD = re.compile(r"^(\w+):\s+(\d+) kB$", re.MULTILINE)


@dataclass(frozen=True)
class Memory:
    """MB of a process and its children: ``rss`` counts what they share once for each, ``pss`` once in all."""

    rss: float
    pss: float
    processes: int

    def __str__(self) -> str:
        return f"RSS {self.rss:,.0f} MB   PSS {self.pss:,.0f} MB   in {self.processes} processes"


@dataclass(frozen=True)
class Server:
    """A running server."""

    process: subprocess.Popen[bytes]
    port: int

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def memory(self) -> Memory:
        """What it and its workers hold now."""
        found = [_memory_of(pid) for pid in _family(self.process.pid)]
        return Memory(sum(rss for rss, _ in found), sum(pss for _, pss in found), len(found))

    def processor(self) -> tuple[float, float]:
        """Seconds of the processor that it and its workers took so far: their own, and the system's for them."""
        user, system = zip(*(_ticks(pid) for pid in _family(self.process.pid)), strict=True)
        return sum(user) / os.sysconf("SC_CLK_TCK"), sum(system) / os.sysconf("SC_CLK_TCK")

    @contextmanager
    def peak(self) -> Iterator[list[float]]:
        """Looks at the memory all the time; the list holds what was found, as PSS in MB."""
        found: list[float] = []
        ended = threading.Event()

        def look() -> None:
            while not ended.wait(PEAK_SECONDS):
                with suppress(OSError):  # a process that ends meanwhile
                    found.append(self.memory().pss)

        thread = threading.Thread(target=look, daemon=True)
        thread.start()
        try:
            yield found
        finally:
            ended.set()
            thread.join()


@contextmanager
def hub_server(data: Path, *, workers: int = 2, program: Sequence[str] = ("-m", "glasshub")) -> Iterator[Server]:
    """``glasshub serve`` on a hub, until the block ends. ``program``: what runs the command line."""
    words = [*program, "--data", str(data), "serve", "--workers", str(workers), "--port"]
    with server(words) as started:
        while len(list(_family(started.process.pid))) <= workers:
            time.sleep(0.05)
        time.sleep(SETTLE_SECONDS)
        yield started


@contextmanager
def server(words: Sequence[str]) -> Iterator[Server]:
    """``python WORDS PORT`` on a free port of the loopback, until the block ends."""
    port = free_port()
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen([sys.executable, *words, str(port)], stdout=log, stderr=log)
        try:
            wait_for(process, port)
            yield Server(process, port)
        except BaseException:
            log.seek(0)
            sys.stderr.write(log.read().decode(errors="replace"))
            raise
        finally:
            stop(process)


def free_port() -> int:
    """A TCP port of the loopback that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for(process: subprocess.Popen[bytes], port: int) -> None:
    """Return once it listens. Raises ``RuntimeError`` when it ends before, or takes too long."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError("the server ended before it listened")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError("the server does not listen")


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a process, kindly first."""
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _family(pid: int) -> Iterator[int]:
    yield pid
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            yield from _family(int(child))


def _memory_of(pid: int) -> tuple[float, float]:
    fields = dict(_FIELD.findall(Path(f"/proc/{pid}/smaps_rollup").read_text()))
    return int(fields["Rss"]) / 1024, int(fields["Pss"]) / 1024


def _ticks(pid: int) -> tuple[int, int]:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]), int(fields[12])


@dataclass(frozen=True)
class Run:
    """What a program took: seconds on the clock and of the processor, and the most MB that it held at once."""

    seconds: float
    processor: float
    peak: float

    def __str__(self) -> str:
        return f"{self.seconds:,.1f} s ({self.processor:,.1f} s of processor)   peak {self.peak:,.0f} MB"


def run(words: Sequence[str]) -> Run:
    """Run ``python WORDS`` to its end. Raises if it fails."""
    start = time.perf_counter()
    process = subprocess.Popen([sys.executable, *words])
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, list(words))
    return Run(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)
