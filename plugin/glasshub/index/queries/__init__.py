"""What pages and API ask of the index. Every function filters by what the reader may see.

``db`` is a ``sqlite_utils.Database`` from :meth:`glasshub.index.db.Index.read`; ``see`` the reader's
:class:`glasshub.access.Visibility`. Limits are clamped to 1..1000; a cursor is good for the query it came from.
"""

from glasshub.index.queries.benchmarks import benchmark, benchmarks, task
from glasshub.index.queries.discussions import (
    DiscussionFilter,
    discussion,
    discussion_counts,
    discussions,
    events,
    hidden_results,
)
from glasshub.index.queries.exports import models_with_results, state
from glasshub.index.queries.feeds import About, feed_discussions, feed_results
from glasshub.index.queries.inbox import Interests, concerns, inbox, last_place, latest
from glasshub.index.queries.leaderboards import leaderboard
from glasshub.index.queries.models import children, model_facts
from glasshub.index.queries.prospects import Prospect, prospects
from glasshub.index.queries.repos import Sort, problems, repo, repos, totals
from glasshub.index.queries.results import newest_results, reports, results_of_model

__all__ = [
    "About",
    "DiscussionFilter",
    "Interests",
    "Prospect",
    "Sort",
    "benchmark",
    "benchmarks",
    "children",
    "concerns",
    "discussion",
    "discussion_counts",
    "discussions",
    "events",
    "feed_discussions",
    "feed_results",
    "hidden_results",
    "inbox",
    "last_place",
    "latest",
    "leaderboard",
    "model_facts",
    "models_with_results",
    "newest_results",
    "problems",
    "prospects",
    "repo",
    "reports",
    "repos",
    "results_of_model",
    "state",
    "task",
    "totals",
]
