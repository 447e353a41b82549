"""The registry's tables. Names are unique without regard to case through a stored lower-case column."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

SCHEMA_VERSION = "2"
metadata = MetaData()

meta = Table("meta", metadata, Column("key", String, primary_key=True), Column("value", String, nullable=False))

accounts = Table(
    "accounts",
    metadata,
    Column("lower", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("full_name", String, nullable=False),
    Column("created_at", String, nullable=False),
    Column("is_admin", Boolean, nullable=False),
    Column("disabled", Boolean, nullable=False),
    Column("password_hash", String, nullable=False),
)

memberships = Table(
    "memberships",
    metadata,
    Column("org", ForeignKey("accounts.lower", ondelete="CASCADE"), primary_key=True),
    Column("user", ForeignKey("accounts.lower", ondelete="CASCADE"), primary_key=True),
    Column("role", Integer, nullable=False),
    Index("memberships_by_user", "user"),
)

tokens = Table(
    "tokens",
    metadata,
    Column("id", String, primary_key=True),
    Column("digest", String, nullable=False, unique=True),
    Column("account", ForeignKey("accounts.lower", ondelete="CASCADE"), nullable=False, index=True),
    Column("name", String, nullable=False),
    Column("scope", String, nullable=False),
    Column("created_at", String, nullable=False),
    Column("expires_at", String, nullable=False),
    Column("last_used_at", String, nullable=False),
    Column("hint", String, nullable=False),
    Column("only_repos", String, nullable=False),
)

sessions = Table(
    "sessions",
    metadata,
    Column("digest", String, primary_key=True),
    Column("account", ForeignKey("accounts.lower", ondelete="CASCADE"), nullable=False, index=True),
    Column("expires_at", String, nullable=False),
)

repos = Table(
    "repos",
    metadata,
    Column("key", String, primary_key=True),
    Column("type", String, nullable=False),
    Column("namespace", String, nullable=False),
    Column("name", String, nullable=False),
    Column("lower", String, nullable=False),
    Column("private", Boolean, nullable=False),
    Column("created_at", String, nullable=False),
    Column("creator", String, nullable=False),
    Column("allow_force_push", Boolean, nullable=False),
    Column("pulls_enabled", Boolean, nullable=False),
    Column("approved", Boolean, nullable=False),
    UniqueConstraint("type", "lower"),
)

# Repos whose files are for people who ask: ``mode`` is auto (asking is enough) or manual (a writer decides).
gates = Table(
    "gates",
    metadata,
    Column("repo", ForeignKey("repos.key", ondelete="CASCADE"), primary_key=True),
    Column("mode", String, nullable=False),
    Column("changed_at", String, nullable=False),
)

# Who asked for access. ``status`` is pending, accepted or rejected; ``fields`` is what they filled in (JSON);
# ``terms`` the commit whose card they agreed to ("": they were let in unasked); ``seen`` whether they know the answer.
access_requests = Table(
    "access_requests",
    metadata,
    Column("id", String, primary_key=True),
    Column("repo", ForeignKey("repos.key", ondelete="CASCADE"), nullable=False),
    Column("account", ForeignKey("accounts.lower", ondelete="CASCADE"), nullable=False, index=True),
    Column("status", String, nullable=False),
    Column("fields", Text, nullable=False),
    Column("terms", String, nullable=False),
    Column("asked_at", String, nullable=False),
    Column("decided_at", String, nullable=False),
    Column("decided_by", String, nullable=False),
    Column("reason", Text, nullable=False),
    Column("seen", Boolean, nullable=False),
    UniqueConstraint("repo", "account"),
    Index("access_requests_by_status", "repo", "status", "asked_at"),
)

redirects = Table(
    "redirects",
    metadata,
    Column("type", String, primary_key=True),
    Column("lower", String, primary_key=True),
    Column("key", ForeignKey("repos.key", ondelete="CASCADE"), nullable=False, index=True),
)

# Repos whose row is gone and whose folder is to go: only what is listed here is removed from disk without a row.
deletions = Table("deletions", metadata, Column("key", String, primary_key=True))

# Who is to be told of what (docs/webhooks.md). ``domains`` is words; the secret is sent along, so it is kept as it is.
webhooks = Table(
    "webhooks",
    metadata,
    Column("id", String, primary_key=True),
    Column("account", ForeignKey("accounts.lower", ondelete="CASCADE"), nullable=False, index=True),
    Column("url", Text, nullable=False),
    Column("domains", String, nullable=False),
    Column("secret", String, nullable=False),
    Column("created_at", String, nullable=False),
    Column("enabled_at", String, nullable=False),
    Column("disabled", Boolean, nullable=False),
    Column("disabled_because", String, nullable=False),
    Column("failures", Integer, nullable=False),
)

# ``target`` is a repo's key (kind model or dataset) or a lower-cased account (kind user or org).
webhook_watched = Table(
    "webhook_watched",
    metadata,
    Column("webhook", ForeignKey("webhooks.id", ondelete="CASCADE"), primary_key=True),
    Column("target", String, primary_key=True),
    Column("kind", String, nullable=False),
    Index("webhook_watched_by_target", "target"),
)

# What webhooks have been told of a repo, as JSON: what has changed since is what they are to be told next.
announced = Table("announced", metadata, Column("key", String, primary_key=True), Column("state", Text, nullable=False))

# The outbox and, once sent, the log. ``state`` is pending, delivered, failed or dropped; ``lease`` is of who sends it.
deliveries = Table(
    "deliveries",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("guid", String, nullable=False),
    Column("webhook", ForeignKey("webhooks.id", ondelete="CASCADE"), nullable=False),
    Column("repo", String, nullable=False),
    Column("number", Integer, nullable=False),
    Column("action", String, nullable=False),
    Column("scope", String, nullable=False),
    Column("body", Text, nullable=False),
    Column("created_at", String, nullable=False),
    Column("state", String, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_at", String, nullable=False),
    Column("lease", String, nullable=False),
    Column("lease_until", String, nullable=False),
    Column("sent_at", String, nullable=False),
    Column("milliseconds", Integer, nullable=False),
    Column("request_headers", Text, nullable=False),
    Column("status", Integer, nullable=False),
    Column("response_headers", Text, nullable=False),
    Column("response_body", Text, nullable=False),
    Column("error", Text, nullable=False),
    Index("deliveries_due", "state", "next_at"),
    Index("deliveries_by_webhook", "webhook", "id"),
    Index("deliveries_by_repo", "repo", "number"),
    sqlite_autoincrement=True,
)

# Repos that somebody watches, or wants to hear nothing of: ``state`` is watch or ignore.
watching = Table(
    "watching",
    metadata,
    Column("account", ForeignKey("accounts.lower", ondelete="CASCADE"), primary_key=True),
    Column("repo", ForeignKey("repos.key", ondelete="CASCADE"), primary_key=True, index=True),
    Column("state", String, nullable=False),
)

# How far somebody has read: up to this place in a repo's chain of events, in one discussion or (-1) in all of them.
seen = Table(
    "seen",
    metadata,
    Column("account", ForeignKey("accounts.lower", ondelete="CASCADE"), primary_key=True),
    Column("repo", ForeignKey("repos.key", ondelete="CASCADE"), primary_key=True, index=True),
    Column("number", Integer, primary_key=True),
    Column("place", Integer, nullable=False),
)

# Which repos have which large files: somebody brought the content to that very repo. ``xet_hash`` names the content
# for Xet clients ("" when it is stored as a plain file).
large_files = Table(
    "large_files",
    metadata,
    Column("repo", ForeignKey("repos.key", ondelete="CASCADE"), primary_key=True),
    Column("sha256", String, primary_key=True, index=True),
    Column("size", BigInteger, nullable=False),
    Column("xet_hash", String, nullable=False),
    Column("added_at", String, nullable=False),
    Column("added_by", String, nullable=False),
)

# Which xorbs were uploaded for which repos.
xorb_uses = Table(
    "xorb_uses",
    metadata,
    Column("xorb", String, primary_key=True),
    Column("repo", ForeignKey("repos.key", ondelete="CASCADE"), primary_key=True, index=True),
)

# Who uploaded which xorbs for which repos. It outlives the repo: clients refer for weeks to what they sent.
xorb_senders = Table(
    "xorb_senders",
    metadata,
    Column("xorb", String, primary_key=True),
    Column("account", ForeignKey("accounts.lower", ondelete="CASCADE"), primary_key=True, index=True),
    Column("repo", String, primary_key=True),
)

# Which chunks (``first`` to ``last``, exclusive) of xorbs of other repos make files of a repo.
xorb_runs = Table(
    "xorb_runs",
    metadata,
    Column("xorb", String, primary_key=True),
    Column("repo", ForeignKey("repos.key", ondelete="CASCADE"), primary_key=True, index=True),
    Column("first", Integer, primary_key=True),
    Column("last", Integer, primary_key=True),
)

# Which files (Xet hashes) of which repos are made of which xorbs: whoever needs one of these may need the others.
xorb_files = Table(
    "xorb_files",
    metadata,
    Column("xorb", String, primary_key=True),
    Column("repo", ForeignKey("repos.key", ondelete="CASCADE"), primary_key=True, index=True),
    Column("file", String, primary_key=True),
)

# Chunks that clients may ask for to find out what they need not send, and the xorbs that hold them.
known_chunks = Table(
    "known_chunks",
    metadata,
    Column("chunk", String, primary_key=True),
    Column("xorb", String, primary_key=True, index=True),
)

# Large files that an admin of the repo deleted for good.
deleted_large_files = Table(
    "deleted_large_files",
    metadata,
    Column("repo", ForeignKey("repos.key", ondelete="CASCADE"), primary_key=True),
    Column("sha256", String, primary_key=True),
    Column("deleted_at", String, nullable=False),
    Column("deleted_by", String, nullable=False),
)

lfs_locks = Table(
    "lfs_locks",
    metadata,
    Column("id", String, primary_key=True),
    Column("repo", ForeignKey("repos.key", ondelete="CASCADE"), nullable=False),
    Column("path", String, nullable=False),
    Column("owner", String, nullable=False),
    Column("locked_at", String, nullable=False),
    UniqueConstraint("repo", "path"),
)

# Logins under way (``hf auth login``): a program waits until somebody approves its code. ``state`` is pending, approved
# or denied; both codes are kept as digests.
device_codes = Table(
    "device_codes",
    metadata,
    Column("digest", String, primary_key=True),
    Column("user_digest", String, nullable=False, unique=True),
    Column("client", String, nullable=False),
    Column("program", String, nullable=False),
    Column("address", String, nullable=False),
    Column("created_at", String, nullable=False),
    Column("expires_at", String, nullable=False, index=True),
    Column("polled_at", String, nullable=False),
    Column("state", String, nullable=False),
    Column("account", ForeignKey("accounts.lower", ondelete="CASCADE"), index=True),
)

# What renews the token of such a login; all that came of one login are a ``family``. ``used_at`` is "" before its use.
refresh_tokens = Table(
    "refresh_tokens",
    metadata,
    Column("digest", String, primary_key=True),
    Column("token", ForeignKey("tokens.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("family", String, nullable=False, index=True),
    Column("client", String, nullable=False),
    Column("expires_at", String, nullable=False),
    Column("used_at", String, nullable=False),
)

likes = Table(
    "likes",
    metadata,
    Column("account", ForeignKey("accounts.lower", ondelete="CASCADE"), primary_key=True),
    Column("repo", ForeignKey("repos.key", ondelete="CASCADE"), primary_key=True, index=True),
    Column("liked_at", String, nullable=False, index=True),
)

# Downloads of a repo on one day (UTC); kept for as long as lists look back. The other table counts all there ever were.
downloads = Table(
    "downloads",
    metadata,
    Column("repo", ForeignKey("repos.key", ondelete="CASCADE"), primary_key=True),
    Column("day", String, primary_key=True, index=True),
    Column("number", BigInteger, nullable=False),
)
download_totals = Table(
    "download_totals",
    metadata,
    Column("repo", ForeignKey("repos.key", ondelete="CASCADE"), primary_key=True),
    Column("number", BigInteger, nullable=False),
)

# Who was counted for which repo in this hour, as digests: so that nobody counts twice, whichever process answers.
download_marks = Table(
    "download_marks",
    metadata,
    Column("mark", String, primary_key=True),
    Column("hour", String, nullable=False, index=True),
)

# Who may sign what they measured. ``state`` is pending (until an admin approves), active or retired.
runners = Table(
    "runners",
    metadata,
    Column("lower", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("owner", ForeignKey("accounts.lower", ondelete="CASCADE"), nullable=False, index=True),
    Column("state", String, nullable=False),
    Column("created_at", String, nullable=False),
)

# The public keys of runners, by thumbprint; never removed: an old signature must stay checkable.
runner_keys = Table(
    "runner_keys",
    metadata,
    Column("kid", String, primary_key=True),
    Column("runner", String, nullable=False, index=True),
    Column("public", String, nullable=False),
    Column("not_before", String, nullable=False),
    Column("revoked_at", String, nullable=False),
    Column("reason", Text, nullable=False),
)

# What is known of each act in the public list of runs, names of private repos included (``details``, JSON). The list in
# git is the record; ``place`` is the line's number there (0: not written yet).
runs = Table(
    "runs",
    metadata,
    Column("id", String, primary_key=True),
    Column("run", String, nullable=False, index=True),
    Column("kind", String, nullable=False),
    Column("runner", String, nullable=False),
    Column("model", String, nullable=False, index=True),
    Column("dataset", String, nullable=False, index=True),
    Column("at", String, nullable=False),
    Column("place", Integer, nullable=False, index=True),
    Column("details", Text, nullable=False),
)

# Lists of repos that people keep. ``position`` orders those of an owner.
collections = Table(
    "collections",
    metadata,
    Column("id", String, primary_key=True),
    Column("owner", ForeignKey("accounts.lower", ondelete="CASCADE"), nullable=False, index=True),
    Column("title", String, nullable=False),
    Column("description", Text, nullable=False),
    Column("theme", String, nullable=False),
    Column("private", Boolean, nullable=False),
    Column("position", Integer, nullable=False),
    Column("created_at", String, nullable=False),
    Column("updated_at", String, nullable=False, index=True),
)

# What a collection holds: a repo, or another collection (``child``).
collection_items = Table(
    "collection_items",
    metadata,
    Column("id", String, primary_key=True),
    Column("collection", ForeignKey("collections.id", ondelete="CASCADE"), nullable=False),
    Column("repo", ForeignKey("repos.key", ondelete="CASCADE"), index=True),
    Column("child", ForeignKey("collections.id", ondelete="CASCADE"), index=True),
    Column("note", Text, nullable=False),
    Column("position", Integer, nullable=False),
    UniqueConstraint("collection", "repo"),
    UniqueConstraint("collection", "child"),
)

collection_votes = Table(
    "collection_votes",
    metadata,
    Column("collection", ForeignKey("collections.id", ondelete="CASCADE"), primary_key=True),
    Column("account", ForeignKey("accounts.lower", ondelete="CASCADE"), primary_key=True, index=True),
    Column("voted_at", String, nullable=False),
)

# Runs of tasks that somebody asked for. ``state`` is requested (until somebody approves), queued, running, done, failed
# or cancelled; ``run`` is the present or last attempt, ``lease_until`` the time by which its runner must be heard of.
jobs = Table(
    "jobs",
    metadata,
    Column("id", String, primary_key=True),
    Column("model", ForeignKey("repos.key", ondelete="CASCADE"), nullable=False, index=True),
    Column("model_sha", String, nullable=False),
    Column("dataset", ForeignKey("repos.key", ondelete="CASCADE"), nullable=False, index=True),
    Column("dataset_sha", String, nullable=False),
    Column("task", String, nullable=False),
    Column("result", String, nullable=False),
    Column("requester", String, nullable=False),
    Column("state", String, nullable=False, index=True),
    Column("reason", Text, nullable=False),
    Column("run", String, nullable=False),
    Column("lease_until", String, nullable=False),
    Column("progress", Text, nullable=False),
    Column("log_tail", Text, nullable=False),
    Column("pull", Integer, nullable=False),
    Column("created_at", String, nullable=False, index=True),
    Column("updated_at", String, nullable=False),
)

# What runners tried. ``state`` is running, issued, failed or cancelled; ``number`` counts the runs of this runner of
# the same model, commit and task; ``log_repo`` and ``log_commit`` say where its log stands.
job_runs = Table(
    "job_runs",
    metadata,
    Column("run", String, primary_key=True),
    Column("job", ForeignKey("jobs.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("runner", String, nullable=False, index=True),
    Column("number", Integer, nullable=False),
    Column("state", String, nullable=False, index=True),
    Column("started_at", String, nullable=False),
    Column("ended_at", String, nullable=False),
    Column("error", Text, nullable=False),
    Column("token", Text, nullable=False),
    Column("log_repo", String, nullable=False),
    Column("log_commit", String, nullable=False),
)

# Audits of the logs that results name: one row per what a result says of its log (``said``, JSON).
log_audits = Table(
    "log_audits",
    metadata,
    Column("place", String, primary_key=True),
    Column("model", String, nullable=False, index=True),
    Column("said", Text, nullable=False),
    Column("state", String, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_at", String, nullable=False),
    Column("lease", String, nullable=False),
    Column("lease_until", String, nullable=False),
    Column("report", String, nullable=False, index=True),
    Column("reason", Text, nullable=False),
    Column("log_repo", String, nullable=False),
    Column("log_commit", String, nullable=False),
    Column("log_path", Text, nullable=False),
    Column("log_sha256", String, nullable=False),
    Column("log_size", BigInteger, nullable=False),
    Column("dataset_commit", String, nullable=False),
    Column("basis", String, nullable=False),
    Column("created_at", String, nullable=False),
    Column("done_at", String, nullable=False),
    Index("log_audits_due", "state", "next_at"),
)

# What was found in a log about a task at a commit and a value: made once for all results that say the same.
log_reports = Table(
    "log_reports",
    metadata,
    Column("key", String, primary_key=True),
    Column("report", Text, nullable=False),
    Column("made_at", String, nullable=False),
)
