"""Likes and downloads in the registry, and what they add up to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, select, true

from glasshub.identity import Account
from glasshub.names import folded
from glasshub.registry.tables import accounts, download_marks, download_totals, downloads, likes, repos
from glasshub.tally import Download

DAYS = 30
TREND_DAYS = 7
LIKE_WEIGHT = 5
_AT_ONCE = 500  # values in one statement


@dataclass(frozen=True, slots=True)
class Popularity:
    """Counts of one repo: downloads of the last 30 days and ever, likes, and its trend (docs/api.md)."""

    downloads: int = 0
    downloads_all_time: int = 0
    likes: int = 0
    trending: int = 0


def like(db: Connection, account: str, repo: str, now: str) -> bool:
    """Note a like; whether it is a new one."""
    if liked(db, account, repo):
        return False
    db.execute(likes.insert().values(account=folded(account), repo=repo, liked_at=now))
    return True


def unlike(db: Connection, account: str, repo: str) -> bool:
    """Take a like back; whether there was one."""
    return db.execute(likes.delete().where(_mine(account, repo))).rowcount > 0


def liked(db: Connection, account: str, repo: str) -> bool:
    """Whether an account likes a repo."""
    return db.scalar(select(likes.c.repo).where(_mine(account, repo))) is not None


def likers(db: Connection, repo: str, *, limit: int, after: tuple[str, str] | None) -> list[tuple[str, Account]]:
    """(when, who) of the likes of a repo, newest first, after a place in that order."""
    query = (
        select(accounts, likes.c.liked_at)
        .join(likes, likes.c.account == accounts.c.lower)
        .where(likes.c.repo == repo)
        .order_by(likes.c.liked_at.desc(), likes.c.account)
        .limit(limit)
    )
    if after is not None:
        moment, account = after
        later = (likes.c.liked_at == moment) & (likes.c.account > account)
        query = query.where((likes.c.liked_at < moment) | later)
    return [
        (row.liked_at, Account(row.name, row.kind, row.full_name, row.created_at, row.is_admin, row.disabled))
        for row in db.execute(query)
    ]


def liked_by(db: Connection, account: str) -> list[tuple[str, str]]:
    """(repo key, when) of what an account likes, newest first."""
    mine = select(likes.c.repo, likes.c.liked_at).where(likes.c.account == folded(account))
    return [(row.repo, row.liked_at) for row in db.execute(mine.order_by(likes.c.liked_at.desc(), likes.c.repo))]


def add_downloads(db: Connection, marked: Mapping[str, Download], *, hour: str, oldest_day: str) -> set[str]:
    """Count what was not counted yet; returns the repos that have more downloads now.

    Args:
        db: the open transaction.
        marked: the downloads by their marks.
        hour: the present hour; marks of former ones are forgotten.
        oldest_day: downloads of days before it are forgotten, but for their number.
    """
    db.execute(download_marks.delete().where(download_marks.c.hour < hour))
    db.execute(downloads.delete().where(downloads.c.day < oldest_day))
    there = _among(db, select(repos.c.key), repos.c.key, {download.repo for download in marked.values()})
    before = _among(db, select(download_marks.c.mark), download_marks.c.mark, set(marked))
    fresh = {mark: found for mark, found in marked.items() if mark not in before and found.repo in there}
    if fresh:
        rows = [{"mark": mark, "hour": found.hour} for mark, found in fresh.items() if found.hour >= hour]
        if rows:
            db.execute(download_marks.insert(), rows)
    for (repo, day), count in Counter((found.repo, found.day) for found in fresh.values()).items():
        _add(db, repo, day, count)
    return {found.repo for found in fresh.values()}


def counts(db: Connection, today: date, keys: Collection[str] | None = None) -> dict[str, Popularity]:
    """What the likes and downloads of repos (all by default) add up to; repos without any are left out."""
    month, week = str(today - timedelta(days=DAYS - 1)), str(today - timedelta(days=TREND_DAYS - 1))
    recent, total, liked_in_all = Counter[str](), Counter[str](), Counter[str]()
    trend = Counter[str]()
    for row in db.execute(_of(select(downloads), downloads.c.repo, keys).where(downloads.c.day >= month)):
        recent[row.repo] += row.number
        trend[row.repo] += _weight(today, row.day) * row.number
    for row in db.execute(_of(select(download_totals), download_totals.c.repo, keys)):
        total[row.repo] = row.number
    by_repo = select(likes.c.repo, func.count().label("number")).group_by(likes.c.repo)
    for row in db.execute(_of(by_repo, likes.c.repo, keys)):
        liked_in_all[row.repo] = row.number
    for row in db.execute(_of(select(likes), likes.c.repo, keys).where(likes.c.liked_at >= week)):
        trend[row.repo] += _weight(today, row.liked_at[:10]) * LIKE_WEIGHT
    found = {*recent, *total, *liked_in_all}
    return {key: Popularity(recent[key], total[key], liked_in_all[key], trend[key]) for key in found}


def _mine(account: str, repo: str) -> ColumnElement[bool]:
    return (likes.c.account == folded(account)) & (likes.c.repo == repo)


def _weight(today: date, day: str) -> int:
    """7 for today, 1 for six days ago, 0 before; a clock that was ahead makes nothing worth more."""
    return min(TREND_DAYS, max(0, TREND_DAYS - (today - date.fromisoformat(day)).days))


def _of(query: Select[Any], column: ColumnElement[str], keys: Collection[str] | None) -> Select[Any]:
    return query.where(true() if keys is None else column.in_(sorted(keys)))


def _add(db: Connection, repo: str, day: str, count: int) -> None:
    one_day = (downloads.c.repo == repo) & (downloads.c.day == day)
    if not db.execute(downloads.update().where(one_day).values(number=downloads.c.number + count)).rowcount:
        db.execute(downloads.insert().values(repo=repo, day=day, number=count))
    whole = download_totals.update().where(download_totals.c.repo == repo)
    if not db.execute(whole.values(number=download_totals.c.number + count)).rowcount:
        db.execute(download_totals.insert().values(repo=repo, number=count))


def _among(db: Connection, query: Select[tuple[str]], column: ColumnElement[str], values: set[str]) -> set[str]:
    """Which of many values are there."""
    found: set[str] = set()
    for some in _in_parts(values):
        found.update(db.scalars(query.where(column.in_(some))))
    return found


def _in_parts(values: set[str]) -> Iterator[list[str]]:
    rest = iter(values)
    while part := list(islice(rest, _AT_ONCE)):
        yield part
