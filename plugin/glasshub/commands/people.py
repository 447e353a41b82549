"""``user``, ``token`` and ``org``."""

from __future__ import annotations

import sys

import click

from glasshub import accounts
from glasshub.commands.opened import OPERATOR, opened
from glasshub.identity import Role

_ROLES = [role.label for role in Role]


@click.group()
def user() -> None:
    """Users of the hub."""


@user.command("add")
@click.argument("name")
@click.option("--admin", is_flag=True, help="Make them an admin of the whole hub.")
@click.option("--full-name", default="", help="The name shown beside the user name.")
@click.option("--password-stdin", is_flag=True, help="Read the password from the first line of standard input.")
@click.pass_context
def user_add(context: click.Context, name: str, admin: bool, full_name: str, password_stdin: bool) -> None:
    """Add a user; asks for a password on a terminal, and without one gives none (tokens still work)."""
    password = _password(password_stdin)
    with opened(context, create=True) as hub:
        accounts.add_user(hub, name, password=password, full_name=full_name, admin=admin)
    click.echo(f"Added user {name}{' (hub admin)' if admin else ''}.", err=True)


@user.command("list")
@click.pass_context
def user_list(context: click.Context) -> None:
    """List users: name, full name, and what else is true: admin, disabled (tab-separated)."""
    with opened(context) as hub:
        for account in accounts.listing(hub, "user"):
            marks = [word for word, holds in (("admin", account.is_admin), ("disabled", account.disabled)) if holds]
            click.echo(f"{account.name}\t{account.full_name}\t{' '.join(marks)}")


@user.command("change")
@click.argument("name")
@click.option("--admin/--no-admin", default=None, help="Make them an admin of the whole hub, or no longer.")
@click.option("--disable/--enable", default=None, help="Shut them out at once (what they own stays), or let them in.")
@click.option("--full-name", help="The name shown beside the user name.")
@click.pass_context
def user_change(
    context: click.Context, name: str, admin: bool | None, disable: bool | None, full_name: str | None
) -> None:
    """Change what a user may do or is called."""
    if admin is None and disable is None and full_name is None:
        raise click.UsageError("Say what to change.")
    with opened(context) as hub:
        if admin is not None:
            accounts.set_admin(hub, name, admin)
        if disable is not None:
            accounts.set_disabled(hub, name, disable)
        if full_name is not None:
            accounts.set_full_name(hub, accounts.find_user(hub, name).name, full_name)
    click.echo(f"Changed user {name}.", err=True)


@user.command("password")
@click.argument("name")
@click.option("--password-stdin", is_flag=True, help="Read the password from the first line of standard input.")
@click.pass_context
def user_password(context: click.Context, name: str, password_stdin: bool) -> None:
    """Set a user's password and end their sessions."""
    password = _password(password_stdin)
    if password is None:
        raise click.UsageError("Give the password with --password-stdin, or run this on a terminal.")
    with opened(context) as hub:
        accounts.set_password(hub, name, password)
    click.echo(f"Changed the password of {name}.", err=True)


@click.group()
def token() -> None:
    """Tokens for git, clients and scripts."""


@token.command("add")
@click.argument("user_name", metavar="USER")
@click.option("--scope", type=click.Choice(["read", "write"]), default="write", show_default=True)
@click.option("--name", default="command line", show_default=True, help="A label, so that you know it again.")
@click.option("--days", type=click.IntRange(1, 3650), help="Days until it expires (never by default).")
@click.pass_context
def token_add(context: click.Context, user_name: str, scope: str, name: str, days: int | None) -> None:
    """Make a token and print only it: the one time it can be seen."""
    with opened(context) as hub:
        secret, _ = accounts.create_token(
            hub, user_name, name=name, scope="read" if scope == "read" else "write", days=days
        )
    click.echo(secret)


@token.command("list")
@click.argument("user_name", metavar="USER")
@click.pass_context
def token_list(context: click.Context, user_name: str) -> None:
    """List a user's tokens: id, name, scope, last characters, when made, expiry (tab-separated)."""
    with opened(context) as hub:
        for info in accounts.tokens(hub, accounts.find_user(hub, user_name).name):
            click.echo("\t".join((info.id, info.name, info.scope, info.hint, info.created_at, info.expires_at)))


@token.command("revoke")
@click.argument("user_name", metavar="USER")
@click.argument("token_id")
@click.pass_context
def token_revoke(context: click.Context, user_name: str, token_id: str) -> None:
    """Revoke a token at once."""
    with opened(context) as hub:
        accounts.revoke_token(hub, user_name, token_id)
    click.echo(f"Revoked token {token_id} of {user_name}.", err=True)


@click.group()
def org() -> None:
    """Organisations and their members."""


@org.command("add")
@click.argument("name", metavar="ORG")
@click.option("--admin", required=True, metavar="USER", help="Its first admin.")
@click.option("--full-name", default="", help="The name shown beside the organisation's own.")
@click.pass_context
def org_add(context: click.Context, name: str, admin: str, full_name: str) -> None:
    """Add an organisation."""
    with opened(context) as hub:
        accounts.add_org(hub, name, admin=admin, full_name=full_name)
    click.echo(f"Added organisation {name} with admin {admin}.", err=True)


@org.command("member")
@click.argument("name", metavar="ORG")
@click.argument("member", metavar="USER")
@click.option("--role", required=True, type=click.Choice(_ROLES), help="Their role; none removes them.")
@click.pass_context
def org_member(context: click.Context, name: str, member: str, role: str) -> None:
    """Add a member, change their role, or remove them."""
    with opened(context) as hub:
        accounts.set_member(hub, OPERATOR, name, member, Role[role.upper()])
    click.echo(f"{member} has role {role} in {name}.", err=True)


@org.command("list")
@click.pass_context
def org_list(context: click.Context) -> None:
    """List organisations and members: organisation, user, role (tab-separated)."""
    with opened(context) as hub:
        for group in accounts.listing(hub, "org"):
            for member in accounts.members(hub, group.name):
                click.echo(f"{member.org}\t{member.user}\t{member.role.label}")


def _password(from_stdin: bool) -> str | None:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if sys.stdin.isatty():
        return str(click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))
    return None


COMMANDS = (user, token, org)
