"""The tables of the index.

Every row is named by natural keys and holds only what follows from the registry and git, never the moment
or order of indexing: that is what makes a rebuilt index equal to the kept one, row for row.
"""

from __future__ import annotations

from dataclasses import dataclass

VERSION = 11  # raise it whenever tables, or the rules that fill them, change: older files are thrown away and rebuilt


@dataclass(frozen=True, slots=True)
class Table:
    """A table: its columns in order, the first ``keys`` of which are the primary key."""

    name: str
    keys: int
    columns: tuple[str, ...]

    @property
    def key(self) -> tuple[str, ...]:
        """The columns of the primary key."""
        return self.columns[: self.keys]

    @property
    def select(self) -> str:
        """``SELECT`` of all columns in order, without a condition."""
        return f"SELECT {', '.join(self.columns)} FROM {self.name}"


def _table(name: str, keys: int, columns: str) -> Table:
    return Table(name, keys, tuple(columns.split()))


# What was indexed: the facts of the registry (JSON) and the refs, per repo.
INDEXED = _table("indexed", 1, "key facts")
REFS = _table("refs", 2, "key name target")
# Every present and former name of a repo, lower-cased.
NAMES = _table("names", 2, "type lower key")
NAMESPACES = _table("namespaces", 1, "lower name kind full_name")
# ``scope`` is "" for public repos, else the lower-cased namespace whose members may see it.
REPOS = _table(
    "repos",
    1,
    "key type namespace namespace_lower name lower scope created_at last_modified head title excerpt card tags "
    "license pipeline_tag library_name base_models derived benchmark results document gated",
)
# What is known of a model from its files, as JSON; ``total`` is NULL when nobody knows how many parameters it has.
MODELS = _table("model_facts", 1, "key total parameters gguf config")
# What the headers of its weight files say, so that none is read twice: ``facts`` is JSON.
HEADERS = _table("weight_headers", 2, "key path blob facts")
TAGS = _table("repo_tags", 2, "tag key")
PROBLEMS = _table("problems", 6, "key path line column_number severity message")
BENCHMARKS = _table("benchmarks", 1, "key state name description framework")
TASKS = _table(
    "tasks",
    2,
    "key task_id position config split metric_name higher_is_better unit minimum maximum spec",
)
COMMITS = _table("commits", 2, "key id")
# The digest of what is on ``main``, of models with tokens and of benchmarks.
CONTENTS = _table("contents", 1, "key sha256")
# What the hub's own record says; ``revoked`` is why a run was revoked since.
RUNNER_KEYS = _table("runner_keys", 1, "kid key runner public not_before revoked_at reason")
ISSUED = _table("issued_runs", 1, "token key revoked")
# ``date`` is as shown, ``instant`` the same in UTC for comparing; ``dataset_key`` and ``state`` come from alignment,
# ``badge`` with its reason and runner from the token.
RESULTS = _table(
    "results",
    4,
    "model_key pull path position line dataset_id dataset_lower task_id value value_text date instant "
    "dataset_revision source_url source_name source_user source_org notes verify_token extra unknown origin "
    "commit_id committed_at submitter id via_pull merged_by git_author badge badge_reason runner commit_known "
    "dataset_key state",
)
# What the repo's writers have hidden of what stands in the files: on no page but the history of evaluations.
HIDDEN = _table(
    "hidden_results",
    2,
    "model_key id pull path line dataset_id dataset_lower task_id value_text submitter git_author hidden_by hidden_at "
    "reason",
)
# The chain of events: ``type`` is "" for what this version does not understand.
EVENTS = _table("events", 2, "key place commit_id id type number actor date data")
# ``comments`` counts those that are not hidden, without the opening one; ``words`` is what search looks through.
DISCUSSIONS = _table(
    "discussions",
    2,
    "key number pull title author status created_at updated_at comments pinned locked head head_deleted "
    "merge_commit merged_by words",
)
# Whom events concern, and why; ``place`` is that of the first event that does so.
CONCERNS = _table("concerns", 5, "key number account reason place")
# ``order_value`` sorts upwards, best first; ``scope`` and ``derived`` are the model's.
HEADLINES = _table(
    "headlines",
    3,
    "dataset_key task_id model_key order_value model_lower scope derived pull path position reports low high",
)
# Per task, and with task_id "" per benchmark: models and derived models on the leaderboard, and aligned results.
COUNTS = _table("board_counts", 3, "dataset_key task_id scope models derived results")
# ``rowid`` is the ``document`` of the repo.
SEARCH = _table("search", 1, "rowid name title tags body")

TABLES = (
    INDEXED, REFS, NAMES, NAMESPACES, REPOS, TAGS, PROBLEMS, BENCHMARKS, TASKS, COMMITS, RESULTS, HEADLINES, COUNTS,
    HIDDEN, EVENTS, DISCUSSIONS, CONCERNS, SEARCH, MODELS, HEADERS, CONTENTS,
    RUNNER_KEYS, ISSUED,
)  # fmt: skip

# Results that may name a log: in ``extra``, or as their source.
NAMES_A_LOG = "instr(extra, '\"log\"') > 0 OR substr(source_url, -5) IN ('.eval', '.json')"

DDL = """
CREATE TABLE indexed (key TEXT PRIMARY KEY, facts TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE refs (
    key TEXT NOT NULL, name TEXT NOT NULL, target TEXT NOT NULL, PRIMARY KEY (key, name)
) WITHOUT ROWID;

CREATE TABLE names (
    type TEXT NOT NULL, lower TEXT NOT NULL, key TEXT NOT NULL, PRIMARY KEY (type, lower)
) WITHOUT ROWID;
CREATE INDEX names_by_key ON names (key);

CREATE TABLE namespaces (
    lower TEXT PRIMARY KEY, name TEXT NOT NULL, kind TEXT NOT NULL, full_name TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE repos (
    key TEXT PRIMARY KEY, type TEXT NOT NULL, namespace TEXT NOT NULL, namespace_lower TEXT NOT NULL,
    name TEXT NOT NULL, lower TEXT NOT NULL, scope TEXT NOT NULL, created_at TEXT NOT NULL,
    last_modified TEXT NOT NULL, head TEXT NOT NULL, title TEXT NOT NULL, excerpt TEXT NOT NULL,
    card TEXT NOT NULL, tags TEXT NOT NULL, license TEXT NOT NULL, pipeline_tag TEXT NOT NULL,
    library_name TEXT NOT NULL, base_models TEXT NOT NULL, derived INTEGER NOT NULL, benchmark TEXT NOT NULL,
    results INTEGER NOT NULL, document INTEGER NOT NULL UNIQUE, gated TEXT NOT NULL
);
CREATE INDEX repos_by_change ON repos (type, last_modified, key);
CREATE INDEX repos_by_namespace ON repos (namespace_lower);
CREATE INDEX repos_by_scope ON repos (type, scope);

CREATE TABLE model_facts (
    key TEXT PRIMARY KEY, total INTEGER, parameters TEXT NOT NULL, gguf TEXT NOT NULL, config TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX models_by_size ON model_facts (total, key);

CREATE TABLE weight_headers (
    key TEXT NOT NULL, path TEXT NOT NULL, blob TEXT NOT NULL, facts TEXT NOT NULL, PRIMARY KEY (key, path)
) WITHOUT ROWID;

CREATE TABLE repo_tags (tag TEXT NOT NULL, key TEXT NOT NULL, PRIMARY KEY (tag, key)) WITHOUT ROWID;
CREATE INDEX tags_by_key ON repo_tags (key);

CREATE TABLE problems (
    key TEXT NOT NULL, path TEXT NOT NULL, line INTEGER NOT NULL, column_number INTEGER NOT NULL,
    severity TEXT NOT NULL, message TEXT NOT NULL,
    PRIMARY KEY (key, path, line, column_number, severity, message)
) WITHOUT ROWID;

CREATE TABLE benchmarks (
    key TEXT PRIMARY KEY, state TEXT NOT NULL, name TEXT NOT NULL, description TEXT NOT NULL,
    framework TEXT NOT NULL
);

CREATE TABLE tasks (
    key TEXT NOT NULL, task_id TEXT NOT NULL, position INTEGER NOT NULL, config TEXT NOT NULL,
    split TEXT NOT NULL, metric_name TEXT NOT NULL, higher_is_better INTEGER NOT NULL, unit TEXT NOT NULL,
    minimum REAL, maximum REAL, spec TEXT NOT NULL, PRIMARY KEY (key, task_id)
);

CREATE TABLE commits (key TEXT NOT NULL, id TEXT NOT NULL, PRIMARY KEY (key, id)) WITHOUT ROWID;

CREATE TABLE contents (key TEXT PRIMARY KEY, sha256 TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE runner_keys (
    kid TEXT PRIMARY KEY, key TEXT NOT NULL, runner TEXT NOT NULL, public TEXT NOT NULL, not_before TEXT NOT NULL,
    revoked_at TEXT NOT NULL, reason TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE issued_runs (token TEXT PRIMARY KEY, key TEXT NOT NULL, revoked TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE results (
    model_key TEXT NOT NULL, pull INTEGER NOT NULL, path TEXT NOT NULL, position INTEGER NOT NULL,
    line INTEGER NOT NULL, dataset_id TEXT NOT NULL, dataset_lower TEXT NOT NULL, task_id TEXT NOT NULL,
    value REAL NOT NULL, value_text TEXT NOT NULL, date TEXT NOT NULL, instant TEXT NOT NULL,
    dataset_revision TEXT NOT NULL, source_url TEXT NOT NULL, source_name TEXT NOT NULL,
    source_user TEXT NOT NULL, source_org TEXT NOT NULL, notes TEXT NOT NULL, verify_token TEXT NOT NULL,
    extra TEXT NOT NULL, unknown TEXT NOT NULL, origin TEXT NOT NULL, commit_id TEXT NOT NULL,
    committed_at TEXT NOT NULL, submitter TEXT NOT NULL, id TEXT NOT NULL, via_pull INTEGER NOT NULL,
    merged_by TEXT NOT NULL, git_author TEXT NOT NULL, badge TEXT NOT NULL, badge_reason TEXT NOT NULL,
    runner TEXT NOT NULL, commit_known INTEGER NOT NULL, dataset_key TEXT NOT NULL, state TEXT NOT NULL,
    PRIMARY KEY (model_key, pull, path, position)
);
CREATE INDEX results_by_dataset ON results (dataset_lower);
CREATE INDEX results_with_token ON results (model_key) WHERE verify_token != '';
CREATE INDEX results_with_log ON results (model_key) WHERE {names_a_log};
CREATE INDEX results_by_age ON results (committed_at DESC, model_key) WHERE state = 'aligned';

CREATE TABLE headlines (
    dataset_key TEXT NOT NULL, task_id TEXT NOT NULL, model_key TEXT NOT NULL, order_value REAL NOT NULL,
    model_lower TEXT NOT NULL, scope TEXT NOT NULL, derived INTEGER NOT NULL, pull INTEGER NOT NULL,
    path TEXT NOT NULL, position INTEGER NOT NULL, reports INTEGER NOT NULL, low REAL NOT NULL, high REAL NOT NULL,
    PRIMARY KEY (dataset_key, task_id, model_key)
) WITHOUT ROWID;
CREATE INDEX boards ON headlines (dataset_key, task_id, order_value, model_lower, model_key, scope, derived);
CREATE INDEX headlines_by_model ON headlines (model_key);

CREATE TABLE board_counts (
    dataset_key TEXT NOT NULL, task_id TEXT NOT NULL, scope TEXT NOT NULL, models INTEGER NOT NULL,
    derived INTEGER NOT NULL, results INTEGER NOT NULL, PRIMARY KEY (dataset_key, task_id, scope)
) WITHOUT ROWID;

CREATE TABLE hidden_results (
    model_key TEXT NOT NULL, id TEXT NOT NULL, pull INTEGER NOT NULL, path TEXT NOT NULL, line INTEGER NOT NULL,
    dataset_id TEXT NOT NULL, dataset_lower TEXT NOT NULL, task_id TEXT NOT NULL, value_text TEXT NOT NULL,
    submitter TEXT NOT NULL, git_author TEXT NOT NULL, hidden_by TEXT NOT NULL, hidden_at TEXT NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (model_key, id)
) WITHOUT ROWID;

CREATE TABLE events (
    key TEXT NOT NULL, place INTEGER NOT NULL, commit_id TEXT NOT NULL, id TEXT NOT NULL, type TEXT NOT NULL,
    number INTEGER NOT NULL, actor TEXT NOT NULL, date TEXT NOT NULL, data TEXT NOT NULL, PRIMARY KEY (key, place)
);
CREATE INDEX events_by_number ON events (key, number, place, actor);
CREATE INDEX events_of_repos ON events (key, date) WHERE number = 0;
CREATE INDEX events_by_actor ON events (actor COLLATE NOCASE, date);
CREATE INDEX events_by_date ON events (date);

CREATE TABLE discussions (
    key TEXT NOT NULL, number INTEGER NOT NULL, pull INTEGER NOT NULL, title TEXT NOT NULL, author TEXT NOT NULL,
    status TEXT NOT NULL, created_at TEXT NOT NULL, updated_at TEXT NOT NULL, comments INTEGER NOT NULL,
    pinned INTEGER NOT NULL, locked INTEGER NOT NULL, head TEXT NOT NULL, head_deleted INTEGER NOT NULL,
    merge_commit TEXT NOT NULL, merged_by TEXT NOT NULL, words TEXT NOT NULL, PRIMARY KEY (key, number)
);
CREATE INDEX discussions_by_author ON discussions (author COLLATE NOCASE, updated_at);
CREATE INDEX discussions_by_change ON discussions (updated_at);

CREATE TABLE concerns (
    key TEXT NOT NULL, number INTEGER NOT NULL, account TEXT NOT NULL, reason TEXT NOT NULL, place INTEGER NOT NULL,
    PRIMARY KEY (key, number, account, reason, place)
) WITHOUT ROWID;
CREATE INDEX concerns_by_account ON concerns (account);

CREATE TABLE popularity (
    key TEXT PRIMARY KEY, downloads INTEGER NOT NULL, downloads_all_time INTEGER NOT NULL, likes INTEGER NOT NULL,
    trending INTEGER NOT NULL
) WITHOUT ROWID;

CREATE VIRTUAL TABLE search USING fts5 (name, title, tags, body, tokenize = "unicode61 remove_diacritics 2");
""".replace("{names_a_log}", NAMES_A_LOG)


def document_id(key: str) -> int:
    """The number of a repo's text in ``search``: 60 bits of its random key, so the same in every rebuild."""
    return int(key[:15], 16)
