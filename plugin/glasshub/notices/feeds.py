"""What stands in the feeds: results and discussions as entries, newest first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlite_utils import Database

from glasshub.access import Visibility
from glasshub.conversation import Discussion
from glasshub.index import queries
from glasshub.index.queries import About
from glasshub.index.rows import FeedDiscussion, FeedResult, ResultRow
from glasshub.notices.atom import Entry

MOST = 50
MAX_SUMMARY = 500


@dataclass(frozen=True, slots=True)
class Addresses:
    """How entries are linked: the address of a result, and of a discussion."""

    result: Callable[[FeedResult], str]
    discussion: Callable[[FeedDiscussion], str]


def leaderboard(db: Database, see: Visibility, key: str, task_id: str, addresses: Addresses) -> list[Entry]:
    """The newest results on one leaderboard."""
    found = queries.feed_results(db, see, About(key, task_id))
    return [_result(result, addresses) for result in found]


def activity(db: Database, see: Visibility, about: About, addresses: Addresses) -> list[Entry]:
    """The newest results and discussions of a repo, or of somebody."""
    entries = [_result(result, addresses) for result in queries.feed_results(db, see, about)]
    entries += [_discussion(found, addresses) for found in queries.feed_discussions(db, see, about)]
    return sorted(entries, key=lambda entry: entry.updated, reverse=True)[:MOST]


def _result(found: FeedResult, addresses: Addresses) -> Entry:
    row = found.result
    details = [_by(row), *([row.notes] if row.notes else []), *([row.reason] if row.reason else [])]
    return Entry(
        id=f"result/{row.model_key}/{row.id}",
        title=f"{row.model_id}: {row.value_text} on {row.dataset_id}, {row.task_id}",
        url=addresses.result(found),
        published=found.told_at,
        updated=found.told_at,
        author=row.submitter,
        summary="; ".join(details)[:MAX_SUMMARY],
    )


def _by(row: ResultRow) -> str:
    pull, who = row.pull or row.via_pull, row.submitter or "somebody"
    if pull:
        merged = f", merged by {row.merged_by or 'somebody'}" if row.via_pull else ""
        return f"submitted by {who} in pull request {pull}{merged}"
    return f"reported by git author {row.git_author}" if row.git_author else f"reported by {who}"


def _discussion(found: FeedDiscussion, addresses: Addresses) -> Entry:
    about = found.discussion
    kind = "Pull request" if about.is_pull else "Discussion"
    return Entry(
        id=f"discussion/{found.key}/{about.number}",
        title=f"{found.repo_id}: {about.title} ({kind.lower()} {about.number}, {about.status})",
        url=addresses.discussion(found),
        published=about.created_at,
        updated=about.updated_at,
        author=about.author,
        summary=_opening(about) or f"{kind} {about.number} of {found.repo_id} is {about.status}.",
    )


def _opening(about: Discussion) -> str:
    opening = next(iter(about.comments.values()), None)
    if opening is None or opening.hidden or opening.erased:
        return ""
    return opening.body if len(opening.body) <= MAX_SUMMARY else opening.body[: MAX_SUMMARY - 1] + "…"
