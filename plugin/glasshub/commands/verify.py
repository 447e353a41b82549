"""``verify``: check results away from the hub, with the token, the published keys and what else is at hand."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
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

FAILED, NOTHING = 1, 3  # exit codes
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
@click.pass_context
def verify(
    context: click.Context,
    target: str,
    jwks: Path | None,
    log: Path | None,
    dataset: Path | None,
    runs: Path | None,
    model: str,
) -> None:
    """Check results that carry a token: a result file, its address, or the address of a model.

    Exit code 0: nothing is wrong. 1: something is. 3: no result carries a token that can be checked.
    """
    is_url = target.startswith(("http://", "https://"))
    hub = remote.hub_of(target) if is_url else None
    with ExitStack() as stack:
        sources = Sources(hub, jwks, log, dataset, runs, model, stack)
        entries = list(_entries(target, sources))
        keys, lines = _keys(sources), _lines(sources)
        proofs = [_prove(entry, keys, lines, sources) for entry in entries if entry.verify_token]
    for proof, entry in zip(proofs, [entry for entry in entries if entry.verify_token], strict=True):
        _tell(entry, proof)
    if any(proof.failed for proof in proofs):
        click.echo("Something is wrong.", err=True)
        context.exit(FAILED)
    if not any(proof.attestation for proof in proofs):
        click.echo("No result here carries a token that can be checked.", err=True)
        context.exit(NOTHING)
    click.echo(_NOT_PROVED, err=True)


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


def _lines(sources: Sources) -> list[Line] | None:
    if sources.runs is not None:
        files = sorted((sources.runs / record.FOLDER).glob("*.jsonl"))
        return [line for file in files for line in record.parse(file.read_bytes())]
    if sources.hub is None:
        return None
    try:
        listed = sources.hub.json(f"/api/{_RECORD}/tree/main/{record.FOLDER}")
        paths = sorted(item["path"] for item in listed if record.is_runs_path(item["path"]))
        return [line for path in paths for line in record.parse(sources.hub.bytes(remote.raw(_RECORD, "main", path)))]
    except GlasshubError:
        return None


def _prove(entry: ResultEntry, keys: Mapping[str, RunnerKey], lines: list[Line] | None, sources: Sources) -> Proof:
    try:
        claims = check(entry.verify_token, keys).claims
    except Invalid:
        return prove(entry, Evidence(keys))
    missing = {"runs": "no --runs, and no hub to ask"} if lines is None else {}
    log, digest, size = _log(claims, sources, missing)
    spec, digests, rows = _data(claims, sources, missing)
    return prove(
        entry,
        Evidence(keys, sources.model_id, log, digest, size, spec, digests, rows, lines, missing),
    )


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
