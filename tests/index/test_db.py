"""The index file: made by the first of several processes, thrown away when it is another version's."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from glasshub.errors import Busy
from glasshub.index import db as index_db
from glasshub.index import schema
from glasshub.index.db import Index


def _version(path: Path) -> int:
    connection = sqlite3.connect(path)
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    connection.close()
    return version


def _tables(path: Path) -> set[str]:
    index = Index(path)
    names = set(index.read().table_names())
    index.close()
    return names


@pytest.mark.parametrize("content", [None, b"", b"this is no database, whatever its name says" * 99])
def test_a_file_that_is_not_this_versions_index_is_replaced(tmp_path: Path, content: bytes | None):
    path = tmp_path / "index.sqlite"
    if content is None:
        connection = sqlite3.connect(path)
        connection.executescript("CREATE TABLE results (old); PRAGMA journal_mode=WAL; PRAGMA user_version = 999")
        connection.close()
    else:
        path.write_bytes(content)
    assert {table.name for table in schema.TABLES} <= _tables(path)
    assert _version(path) == schema.VERSION


@pytest.mark.slow
def test_processes_that_start_at_once_agree_on_one_file(tmp_path: Path):
    path = tmp_path / "index.sqlite"
    code = (
        "import sys; from pathlib import Path; from glasshub.index.db import Index\n"
        "index = Index(Path(sys.argv[1]))\n"
        "with index.write() as db: db.execute('INSERT INTO indexed VALUES (?, ?)', [sys.argv[2], ''])\n"
    )
    running = [subprocess.Popen([sys.executable, "-c", code, str(path), str(number)]) for number in range(4)]
    assert [process.wait(60) for process in running] == [0] * 4
    index = Index(path)
    assert [row[0] for row in index.read().execute("SELECT key FROM indexed ORDER BY key")] == list("0123")
    index.close()


def test_a_failed_write_leaves_nothing(tmp_path: Path):
    index = Index(tmp_path / "index.sqlite")

    def write_twice() -> None:
        with index.write() as db:
            db.execute("INSERT INTO indexed VALUES ('k', '')")
            db.execute("INSERT INTO indexed VALUES ('k', '')")

    with pytest.raises(sqlite3.IntegrityError):
        write_twice()
    assert index.read().execute("SELECT count(*) FROM indexed").fetchone() == (0,)
    index.close()


def test_a_writer_waits_for_another_and_gives_up_with_a_clear_error(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(index_db, "PRAGMAS", (*index_db.PRAGMAS[1:], "busy_timeout = 50"))
    index = Index(tmp_path / "index.sqlite")
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with index.write():
            held.set()
            done.wait(20)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait(20)
    with pytest.raises(Busy, match="Try again"), index.write():
        pass
    done.set()
    thread.join()
    with index.write():
        pass
    index.close()


def test_every_thread_has_its_own_connection_and_dead_threads_leave_none(tmp_path: Path):
    index = Index(tmp_path / "index.sqlite")
    mine = index.read()
    assert index.read() is mine
    others: list[object] = []
    for _ in range(3):
        thread = threading.Thread(target=lambda: others.append(index.read()))
        thread.start()
        thread.join()
    assert mine not in others
    assert len({id(db) for db in others}) == 3
    assert len(index._opened) == 2  # this thread's, and the last one's until somebody opens another
    index.close()


def test_a_forked_child_leaves_its_parents_connection_alone(tmp_path: Path):
    index = Index(tmp_path / "index.sqlite")
    with index.write() as db:
        db.execute("INSERT INTO indexed VALUES ('parent', '')")
    child = os.fork()
    if child == 0:
        with index.write() as own:
            own.execute("INSERT INTO indexed VALUES ('child', '')")
        os._exit(0 if own is not db else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    with index.write() as db:
        db.execute("INSERT INTO indexed VALUES ('parent again', '')")
    assert index.read().execute("SELECT count(*) FROM indexed").fetchone() == (3,)
    index.close()
