"""``verify``: check results away from the hub, with the token, the published keys and what else is at hand."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

import click

from glasshub import benchmark_data, remote
from glasshub.errors import GlasshubError, Invalid
from glasshub.evals.eval_results import FOLDER, ResultEntry, is_result_path, parse_result_file
from glasshub.git.read import open_repo
from glasshub.names import HUB, RECORD
from glasshub.remote import RemoteHub
from glasshub.result_files import DAMAGE
from glasshub.verify import record
from glasshub.verify.claims import Claims
from glasshub.verify.keys import RunnerKey, parse_jwks
from glasshub.verify.logs.archive import Limits
from glasshub.verify.logs.report import Outcome
from glasshub.verify.offline import Evidence, Proof, prove
from glasshub.verify.record import Line
from glasshub.verify.token import check

FAILED, UNREADABLE, NOTHING, INCOMPLETE = 1, 2, 3, 4  # exit codes
_BLOCK = 1024 * 1024
_RECORD = f"datasets/{HUB}/{RECORD}"
_MARKS = {Outcome.PASSED: "proved", Outcome.FAILED: "FAILED", Outcome.UNKNOWN: "not checked", Outcome.APART: "-"}
_NOT_PROVED = (
    "Not proved by any of this: that the model has never seen the questions, that the benchmark is a good one, that "
    "another provider or setting gives the same number, that the runner is honest."
)


@dataclass
class Sources:
    """Where what is checked comes from."""

    hub: RemoteHub | None
    jwks: Path | None
    log: Path | None
    dataset: Path | None
    runs: Path | None
    model_id: str = ""
    open: ExitStack = field(default_factory=ExitStack)


@click.command()
@click.argument("target", metavar="FILE|URL")
@click.option(
    "--jwks",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="The trusted keys (a URL's hub by default).",
)
@click.option(
    "--log",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="The log of the run (fetched from a URL's hub by default).",
)
@click.option(
    "--dataset",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="A git clone of the benchmark.",
)
@click.option(
    "--runs",
    type=click.Path(exists=True, path_type=Path),
    metavar="DIR",
    help="A git clone of hub/verification (a URL's hub by default).",
)
@click.option("--model", default="", metavar="NS/NAME", help="The model that FILE is of.")
@click.option("--strict", is_flag=True, help="Exit code 4 unless everything could be checked.")
@click.pass_context
def verify(
    context: click.Context,
    target: str,
    jwks: Path | None,
    log: Path | None,
    dataset: Path | None,
    runs: Path | None,
    model: str,
    *,
    strict: bool,
) -> None:
    """Check results that carry a token: a result file, its address, or the address of a model.

    Exit code 0: nothing is wrong. 1: something is. 2: what was named cannot be had or read. 3: no result carries a
    token that can be checked. 4: with --strict, something could not be checked.
    """
    try:
        with ExitStack() as stack:
            hub = remote.hub_of(target) if target.startswith(("http://", "https://")) else None
            proofs = _prove_all(target, Sources(hub, jwks, log, dataset, runs, model, stack))
    except (GlasshubError, OSError) as error:
        click.echo(f"glasshub: {error.message if isinstance(error, GlasshubError) else error}", err=True)
        context.exit(UNREADABLE)
    for entry, proof in proofs:
        _tell(entry, proof)
    if any(proof.failed for _, proof in proofs):
        click.echo("Something is wrong.", err=True)
        context.exit(FAILED)
    if not any(proof.attestation for _, proof in proofs):
        click.echo("No result here carries a token that can be checked.", err=True)
        context.exit(NOTHING)
    click.echo(_NOT_PROVED, err=True)
    if strict and not all(proof.complete for _, proof in proofs):
        click.echo("Not everything could be checked.", err=True)
        context.exit(INCOMPLETE)


def _prove_all(target: str, sources: Sources) -> list[tuple[ResultEntry, Proof]]:
    entries = [entry for entry in _entries(target, sources) if entry.verify_token]
    if not entries:
        return []
    keys, missing = _keys(sources), dict[str, str]()
    lines, damage = _lines(sources, missing)
    return [
        (entry, _prove(entry, keys, Evidence(keys, lines=lines, damage=damage), missing, sources)) for entry in entries
    ]


def _entries(target: str, sources: Sources) -> Iterator[ResultEntry]:
    """The results of a file, of its address, or of all files on a model's main."""
    if sources.hub is None:
        yield from _parsed(Path(target).read_bytes(), Path(target).name)
        return
    parts = [unquote(part) for part in urlsplit(target).path.strip("/").split("/")]
    if len(parts) == 2:
        sources.model_id = "/".join(parts)
        listed = sources.hub.json(f"/api/models/{sources.model_id}/tree/main/{FOLDER}")
        for path in sorted(item["path"] for item in listed if is_result_path(item["path"])):
            yield from _parsed(sources.hub.bytes(remote.raw(sources.model_id, "main", path)), path)
        return
    if len(parts) < 5 or parts[2] not in ("resolve", "raw", "blob"):
        raise Invalid("Name a result file, its address, or the address of a model.")
    sources.model_id = "/".join(parts[:2])
    rest = "/".join(parts[3:])
    revision, found, name = rest.rpartition(f"/{FOLDER}/")
    if not found:
        raise Invalid(f"{target} is no result file: they lie in {FOLDER}.")
    path = f"{FOLDER}/{name}"
    yield from _parsed(sources.hub.bytes(remote.raw(sources.model_id, revision, path)), path)


def _parsed(data: bytes, path: str) -> tuple[ResultEntry, ...]:
    parsed = parse_result_file(data, path)
    for problem in parsed.problems:
        click.echo(str(problem), err=True)
    return parsed.entries


def _keys(sources: Sources) -> Mapping[str, RunnerKey]:
    if sources.jwks is not None:
        return parse_jwks(sources.jwks.read_bytes())
    if sources.runs is not None and (sources.runs / record.KEYS_PATH).is_file():
        return parse_jwks((sources.runs / record.KEYS_PATH).read_bytes())
    if sources.hub is not None:
        return parse_jwks(sources.hub.bytes("/.well-known/jwks.json"))
    raise Invalid("Name the trusted keys with --jwks FILE, as published at /.well-known/jwks.json of the hub.")


def _lines(sources: Sources, missing: dict[str, str]) -> tuple[list[Line] | None, str]:
    """The list of runs (``None``: not at hand), and what is damaged in it."""
    pages: list[bytes] = []
    if sources.runs is not None:
        pages = [file.read_bytes() for file in sorted((sources.runs / record.FOLDER).glob("*.jsonl"))]
        if not pages:
            raise Invalid(f"{sources.runs} holds no list of runs: a git clone of {HUB}/{RECORD} was expected.")
    elif sources.hub is None:
        missing["runs"] = "no --runs, and no hub to ask"
        return None, ""
    else:
        try:
            listed = sources.hub.json(f"/api/{_RECORD}/tree/main/{record.FOLDER}")
            paths = sorted(item["path"] for item in listed if record.is_runs_path(item["path"]))
            pages = [sources.hub.bytes(remote.raw(_RECORD, "main", path)) for path in paths]
        except GlasshubError as error:
            missing["runs"] = error.message
            return None, ""
    try:
        return [line for page in pages for line in record.parse(page)], ""
    except Invalid as error:
        return [], error.message


def _prove(
    entry: ResultEntry, keys: Mapping[str, RunnerKey], common: Evidence, missing: Mapping[str, str], sources: Sources
) -> Proof:
    try:
        claims = check(entry.verify_token, keys).claims
    except Invalid:
        return prove(entry, common)
    lacking = dict(missing)
    log, digest, size = _log(claims, sources, lacking)
    spec, digests, rows = _data(claims, sources, lacking)
    return prove(
        entry,
        replace(
            common, model_id=sources.model_id, log=log, log_digest=digest, log_size=size, spec=spec, digests=digests,
            rows=rows, missing=lacking,
        ),
    )  # fmt: skip


def _log(claims: Claims, sources: Sources, missing: dict[str, str]) -> tuple[BinaryIO | None, str, int]:
    file: BinaryIO | None = None
    if sources.log is not None:
        file = sources.open.enter_context(sources.log.open("rb"))
    elif sources.hub is not None:
        kept = sources.open.enter_context(tempfile.TemporaryFile())  # noqa: SIM115
        try:
            sources.hub.save(claims.log.uri, kept, limit=min(claims.log.size, Limits().file))
            file = kept
        except GlasshubError as error:
            missing["log"] = error.message
    else:
        missing["log"] = "no --log"
    if file is None:
        return None, "", 0
    file.seek(0)
    digest, size = hashlib.sha256(), 0
    while block := file.read(_BLOCK):
        digest.update(block)
        size += len(block)
    return file, digest.hexdigest(), size


def _data(
    claims: Claims, sources: Sources, missing: dict[str, str]
) -> tuple[Mapping[str, object] | None, tuple[str, str, str], list[Mapping[str, object]] | None]:
    empty = ("", "", "")
    if sources.dataset is None:
        missing["dataset"] = "no --dataset: a git clone of the benchmark"
        return None, empty, None
    try:
        with open_repo(_git_dir(sources.dataset)) as git:
            asked = benchmark_data.asked(git, claims.dataset.sha, claims.task.id)
            digests = (asked.eval_yaml_sha256, asked.data_sha256, asked.spec_sha256)
            try:
                rows = list(benchmark_data.rows_of(git, claims.dataset.sha, asked.task.config, asked.task.split))
            except GlasshubError as error:
                missing["dataset"] = error.message
                return dict(asked.task.spec), digests, None
            return dict(asked.task.spec), digests, rows
    except (*DAMAGE, OSError) as error:
        missing["dataset"] = str(error)
        return None, empty, None


def _git_dir(clone: Path) -> Path:
    """The repository of a clone, bare or not."""
    return clone / ".git" if (clone / ".git").is_dir() else clone


def _tell(entry: ResultEntry, proof: Proof) -> None:
    click.echo(f"{entry.path}:{entry.line} {entry.dataset_id} {entry.task_id} {entry.value_text}")
    for one in proof.checks:
        detail = f": {one.detail}" if one.detail else ""
        click.echo(f"  {_MARKS[one.outcome]:<12} {one.id:<10} {one.title}{detail}")
    if proof.attestation is not None:
        claims = proof.attestation.claims
        served = "the weights" if claims.model.served == "weights" else "an endpoint, which may serve anything"
        made = f"{claims.framework.name} {claims.framework.version}, attempt {claims.attempt}, {json.dumps(claims.gen)}"
        click.echo(f"  Run on {served}; {made}.")


COMMANDS = (verify,)
