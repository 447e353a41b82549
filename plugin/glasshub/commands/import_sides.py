"""The hub that a file is imported into: the one of this machine, or one elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import click

from glasshub import access, importing
from glasshub.errors import Invalid
from glasshub.evals.importers.answers import Answers, Tasks
from glasshub.evals.importers.proposal import Draft, LogFile, Measure, Proposal
from glasshub.hub import Hub
from glasshub.identity import Actor, Repo
from glasshub.importing import Import
from glasshub.remote_import import RemoteImport


@dataclass(frozen=True, slots=True)
class Asked:
    """One file, and what the command line says about it."""

    file: LogFile
    proposal: Proposal
    answers: dict[str, Answers]
    keep: bool
    title: str

    @property
    def drafts(self) -> list[Draft]:
        """The drafts that are wanted."""
        return [draft for draft in self.proposal.drafts if draft.what in self.answers]


class Side(Protocol):
    """The hub that results are imported into: the one of this machine, or one elsewhere."""

    tasks: Tasks

    def benchmarks(self) -> list[str]:
        """What there is to choose from where a file names no dataset."""

    def withheld(self, proposal: Proposal, datasets: Sequence[str]) -> str:
        """Why the file itself is not published; ``""`` if it is."""

    def check(self, said: Sequence[dict[str, str]], measures: Sequence[Measure | None]) -> list[str]:
        """A sentence on each entry. Raises ``Invalid`` for what would be refused."""

    def send(self, asked: Asked, said: Sequence[dict[str, str]]) -> str:
        """Open the pull request; returns where it is."""


@dataclass
class Here:
    """The hub in the data folder."""

    hub: Hub
    repo: Repo
    actor: Actor

    def __post_init__(self) -> None:
        self._see = access.visibility(self.actor)
        self.tasks = importing.tasks_of(self.hub, self._see)

    def benchmarks(self) -> list[str]:
        """What there is to choose from where a file names no dataset."""
        return importing.benchmarks(self.hub, self._see)

    def withheld(self, proposal: Proposal, datasets: Sequence[str]) -> str:
        """Why the file itself is not published; ``""`` if it is."""
        return importing.withheld(self.hub, self.actor, proposal, datasets)

    def check(self, said: Sequence[dict[str, str]], measures: Sequence[Measure | None]) -> list[str]:
        """A sentence on each entry. Raises ``Invalid`` for what would be refused."""
        sentences = []
        judged = importing.judge(self.hub, self._see, self.repo, said)
        for (written, prospect), measure in zip(judged, measures, strict=True):
            if written.errors:
                raise Invalid(next(iter(written.errors.values())))
            assert prospect is not None
            place = f"It would take rank {prospect.rank:,} of {prospect.of:,}." if prospect.counts else prospect.reason
            sentences.append(f"{place} {importing.doubt(measure, prospect)}".strip())
        return sentences

    def send(self, asked: Asked, said: Sequence[dict[str, str]]) -> str:
        """Open the pull request; returns where it is."""
        known = [importing.with_known_commit(self.hub, self.repo, entry) for entry in said]
        address = self.hub.settings.public_url
        if asked.keep and not address:
            click.echo("The results name the kept file, but have no link to it: public_url is not set.", err=True)
        wanted = Import(asked.proposal, asked.file.data, known, asked.title, keep=asked.keep, address=address)
        made = importing.open_pull(self.hub, self.repo, self.actor, wanted)
        return f"{address}{self.repo.path}/discussions/{made.pull}"


@dataclass
class There:
    """A hub elsewhere."""

    remote: RemoteImport

    def __post_init__(self) -> None:
        self.tasks = self.remote.tasks

    def benchmarks(self) -> list[str]:
        """What there is to choose from where a file names no dataset."""
        return self.remote.benchmarks()

    def withheld(self, proposal: Proposal, datasets: Sequence[str]) -> str:
        """Why the file itself is not published; ``""`` if it is."""
        return self.remote.withheld(proposal, datasets)

    def check(self, said: Sequence[dict[str, str]], measures: Sequence[Measure | None]) -> list[str]:
        """A sentence on each entry. Raises ``Invalid`` for what would be refused."""
        self.remote.check(said)
        return ["The hub says what becomes of it once it is there."] * len(measures)

    def send(self, asked: Asked, said: Sequence[dict[str, str]]) -> str:
        """Open the pull request; returns where it is."""
        sent = self.remote.send(asked.proposal, asked.file.data, said, title=asked.title, keep=asked.keep)
        return sent.address
