"""The registry's tables. Names are unique without regard to case through a stored lower-case column."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, MetaData, String, Table, UniqueConstraint

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

redirects = Table(
    "redirects",
    metadata,
    Column("type", String, primary_key=True),
    Column("lower", String, primary_key=True),
    Column("key", ForeignKey("repos.key", ondelete="CASCADE"), nullable=False, index=True),
)

# Repos whose row is gone and whose folder is to go: only what is listed here is removed from disk without a row.
deletions = Table("deletions", metadata, Column("key", String, primary_key=True))
