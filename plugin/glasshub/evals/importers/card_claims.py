"""Scores in the front matter of a model's card (``model-index``). They name no task of a benchmark."""

from __future__ import annotations

from collections import defaultdict

from glasshub.cards import parse_card
from glasshub.evals.importers.drafting import Drafts, unique
from glasshub.evals.importers.json_values import commit, conditions, number, repo_id, text
from glasshub.evals.importers.proposal import Draft, Importer, LogFile, Measure, Proposal
from glasshub.evals.model_index import KEY, Claim
from glasshub.evals.yaml_nodes import Scalar

TOOL = "model-index"
_MARK = f"{KEY}:".encode()


def read(file: LogFile) -> Proposal | None:
    """What a card claims. Raises ``Invalid`` if none of its claims is a number."""
    if not file.data.lstrip(b"\xef\xbb\xbf").startswith(b"---") or _MARK not in file.data:
        return None
    card, drafts = parse_card(file.data), Drafts()
    groups: defaultdict[tuple[str, ...], list[Claim]] = defaultdict(list)
    for claim in card.claims:
        groups[claim.task, claim.dataset, claim.dataset_type, claim.config, claim.split, claim.revision].append(claim)
    for claims in groups.values():
        drafts.add(_draft(claims, drafts))
    for problem in card.problems:
        drafts.remark(f"Line {problem.line}: {text(problem.message)}")
    found, remarks = drafts.done()
    return Proposal(tool=TOOL, version="", drafts=found, ending="md", remarks=remarks)


IMPORTER = Importer(TOOL, read)


def _draft(claims: list[Claim], drafts: Drafts) -> Draft:
    first, measures = claims[0], []
    for claim in claims:
        value = number(Scalar(claim.value, True, 1, 1).value)
        if value:
            measures.append(Measure(text(claim.metric), claim.value))
        else:
            drafts.remark(f"Line {claim.line}: {text(claim.value, 60)} is no number: that is left out.")
    return Draft(
        what=text(first.dataset),
        measures=unique(measures),
        dataset=repo_id(first.dataset_type),
        revision=commit(first.revision),
        config=text(first.config),
        split=text(first.split),
        conditions=conditions([("claimed_task", first.task)]),
    )
