"""Submitting a score: one entry more in a result file of a model, on ``main`` or by a pull request."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

from dulwich.repo import Repo as GitRepo

from glasshub import clock, edits
from glasshub.desk import MAIN, PULLS, Desk
from glasshub.edits import Edit, Made
from glasshub.errors import Busy, Conflict, EntryNotFound, Invalid, PreconditionFailed
from glasshub.evals.alignment import Alignment
from glasshub.evals.entry_text import WrittenEntry, add_entry, slug_of
from glasshub.evals.eval_results import FOLDER, ResultEntry, normalise_date
from glasshub.evals.result_id import result_id
from glasshub.git import read
from glasshub.git.build import Put
from glasshub.git.read import TreeEntry, open_repo
from glasshub.hub import Hub
from glasshub.identity import Actor, Repo
from glasshub.index.queries import Prospect
from glasshub.result_files import MAX_FILE_BYTES
from glasshub.results import find_result

TRIES = 5
MOST_NAMES = 50
_MISPLACED = {  # what cannot count as it is, and the field that is to blame
    Alignment.NO_TASK.value: "task",
    Alignment.OUT_OF_RANGE.value: "value",
    Alignment.UNKNOWN_REVISION.value: "revision",
}
NEW_PULL = 0
ON_MAIN = -1


@dataclass(frozen=True, slots=True)
class Placed:
    """Where an entry goes: the file with it, and whether other entries stand in that file before it."""

    path: str
    data: bytes
    added: bool
    executable: bool = False


def place(git: GitRepo, commit: str, slug: str, text: str) -> Placed:
    """Find the file for an entry: ``<slug>.yaml`` as far as it can take one more, else ``<slug>-2.yaml`` and so on.

    Args:
        git: the repository.
        commit: what the new commit will stand on (``""``: nothing).
        slug: as :func:`slug_of` gives it.
        text: the entry.

    Raises:
        Invalid: fifty files of that name can take no more.
    """
    for number in range(1, MOST_NAMES + 1):
        path = f"{FOLDER}/{slug}{f'-{number}' if number > 1 else ''}.yaml"
        found = _entry(git, commit, path)
        if found is None:
            return Placed(path, text.encode("utf-8"), added=False)
        if found.kind == "file" and found.size + len(text) * 4 < MAX_FILE_BYTES:
            data = add_entry(read.read_blob(git, found.oid, limit=MAX_FILE_BYTES), text, path)
            if data is not None:
                return Placed(path, data, added=True, executable=bool(found.mode & 0o111))
    raise Invalid(f"{FOLDER}/{slug}.yaml and its {MOST_NAMES} like are full. Ask the authors to clear them up.")


def submit(
    hub: Hub, repo: Repo, actor: Actor, written: WrittenEntry, *, to: int, title: str, comment: str = ""
) -> Made:
    """Commit an entry, all rights and rules checked under the repo's lock.

    Args:
        hub: the hub.
        repo: the model.
        actor: who submits.
        written: a valid entry.
        to: :data:`NEW_PULL`, :data:`ON_MAIN`, or the number of a pull request to add it to.
        title: of the pull request, and the message of the commit.
        comment: the text of a new pull request.

    Raises:
        Conflict: the same result stands there already, shown or hidden, or the pull request takes no more.
        Invalid: a bad title or comment, or the hub's rules refuse it.
        Forbidden, Unauthenticated, RepoNotFound, NotFound, Busy: as :func:`glasshub.edits.commit`.
    """
    assert written.entry is not None
    assert not written.errors
    slug = slug_of(written.entry.dataset_id, "" if to == ON_MAIN else actor.name or "")
    ref = MAIN if to in (NEW_PULL, ON_MAIN) else f"{PULLS}{to}"
    check = partial(require_new, wanted=result_id(written.entry))
    for _ in range(TRIES):
        with open_repo(hub.git_dir(repo)) as git:
            tip = read.list_refs(git, ref).get(ref, "")
            base = tip or read.list_refs(git, MAIN).get(MAIN, "")
            placed = place(git, base, slug, written.text)
        put = Put(placed.path, placed.data, placed.executable)
        edit = Edit([put], title, comment if to == NEW_PULL else "", parent=tip)
        try:
            if to == NEW_PULL:
                return edits.propose(hub, repo, actor, edit, check=check)
            return edits.commit(hub, repo, actor, edit, ref=ref, check=check)
        except PreconditionFailed:
            continue  # somebody was faster: add it to what stands there now
    raise Busy("Others are writing to this repo all the time. Try again in a moment.")


def refusals(entry: ResultEntry, prospect: Prospect) -> dict[str, str]:
    """What keeps an entry from being submitted although it reads well: a sentence by name of the field."""
    errors: dict[str, str] = {}
    if entry.date and normalise_date(entry.date) > clock.iso(datetime.now(UTC) + timedelta(days=1)):
        errors["date"] = "This date lies in the future."
    if prospect.state in _MISPLACED:
        errors[_MISPLACED[prospect.state]] = prospect.reason
    return errors


def require_new(desk: Desk, wanted: str) -> None:
    """Return if no result has this id. Raises ``Conflict``."""
    hidden = wanted in desk.record.hidden
    found = find_result(desk, wanted)
    if found is not None:
        where = f"in pull request {found.pull}" if found.pull else f"on main in {found.entry.path}"
        raise Conflict(f"The same result stands already {where}{', hidden by the author' if hidden else ''}.")
    if hidden:
        raise Conflict("The authors have hidden this very result. The evaluation history says why.")


def _entry(git: GitRepo, commit: str, path: str) -> TreeEntry | None:
    try:
        return read.entry(git, commit, path) if commit else None
    except EntryNotFound:
        return None
