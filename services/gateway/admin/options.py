"""What the command line takes."""

import argparse
import re
from datetime import datetime
from pathlib import Path

from services.gateway.audit_files import AuditFormat
from services.gateway.identities import SLUG, MemberKind, OrganisationKind
from services.gateway.scopes import ALL_PARKS, Scope
from services.gateway.tenancy import PARK_ID

# The name goes into a header and a log line.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._@-]{0,62}")
_MOST_DAYS = 36_500
_URL = re.compile(r"https?://[^\s]{1,500}")


def parser() -> argparse.ArgumentParser:
    """The parser of every command."""
    root = argparse.ArgumentParser(
        prog="python -m services.gateway.admin", description="Who comes in at the gateway, and what they did."
    )
    commands = root.add_subparsers(dest="command", required=True)
    _add_keys(commands)
    _add_organisations(commands)
    audit = commands.add_parser("audit", help="write out who did what, oldest first")
    audit.add_argument("--park", type=_id, help="default: all parks, keys, organisations and members")
    audit.add_argument("--start", type=_time, help="from this time on, such as 2026-01-01T00:00:00+08:00")
    audit.add_argument("--end", type=_time, help="before this time")
    audit.add_argument("--actor", type=_title, help="only of this name")
    audit.add_argument("--format", choices=list(AuditFormat), default=AuditFormat.CSV.value)
    return root


def _add_keys(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    create = commands.add_parser("create-key", help="make a key and show it once")
    create.add_argument("--name", type=_name, required=True, help="who holds it; stands in journals and the audit")
    create.add_argument("--park", type=_park, action="append", required=True, help="a park it sees (repeat), or '*'")
    _add_scope(create)
    create.add_argument("--member", type=_id, help="whose it is: it never has more rights; default: the installation's")
    create.add_argument("--expires-in-days", type=_days, help="default: never")
    create.add_argument("--key-file", type=Path, help="take the key from this file, or make it and write it there")
    rotate = commands.add_parser("rotate-key", help="make the key that follows another, and show it once")
    rotate.add_argument("which", metavar="PREFIX_OR_NAME")
    rotate.add_argument("--overlap-days", type=_days, default=7.0, help="how long the old one stays good; default: 7")
    rotate.add_argument("--expires-in-days", type=_days, help="of the new one; default: never")
    commands.add_parser("list-keys", help="show all keys, without their secrets")
    revoke = commands.add_parser("revoke-key", help="make a key useless")
    revoke.add_argument("which", metavar="PREFIX_OR_NAME")


def _add_organisations(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    organisation = commands.add_parser("create-organisation", help="make an organisation, or bring it up to date")
    organisation.add_argument("--id", type=_id, required=True)
    organisation.add_argument("--kind", choices=list(OrganisationKind), required=True)
    organisation.add_argument("--name", type=_title, required=True, help="as people call it")
    organisation.add_argument("--park", type=_park, action="append", required=True, help="a park it sees, or '*'")
    member = commands.add_parser("create-member", help="make a user or a machine, or bring it up to date")
    member.add_argument("--id", type=_id, required=True, help="stands in journals and the audit")
    member.add_argument("--organisation", type=_id, required=True)
    member.add_argument("--kind", choices=list(MemberKind), required=True)
    member.add_argument("--park", type=_park, action="append", help="default: the organisation's parks")
    _add_scope(member)
    member.add_argument("--issuer", type=_issuer, help="the identity provider whose tokens stand for the member")
    member.add_argument("--subject", type=_title, help="what the provider calls the member (the claim `sub`)")
    commands.add_parser("list-organisations", help="show all organisations")
    commands.add_parser("list-members", help="show all users and machines")
    for what in ("organisation", "member"):
        commands.add_parser(f"disable-{what}", help="shut out with all keys and tokens").add_argument("id", type=_id)
        commands.add_parser(f"enable-{what}", help="let in again").add_argument("id", type=_id)


def _add_scope(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--scope", choices=list(Scope), action="append", metavar="SCOPE", help=f"{', '.join(Scope)}; default: read"
    )


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise argparse.ArgumentTypeError("up to 63 ASCII letters, digits, spaces and ._@-, a letter or digit first")
    return text


def _id(text: str) -> str:
    if not SLUG.fullmatch(text):
        raise argparse.ArgumentTypeError("up to 63 of a-z, 0-9 and -, a letter or digit first")
    return text


def _title(text: str) -> str:
    if not (0 < len(text.strip()) <= 200 and text.isprintable()):
        raise argparse.ArgumentTypeError("1 to 200 characters that can be printed")
    return text.strip()


def _issuer(text: str) -> str:
    if not _URL.fullmatch(text):
        raise argparse.ArgumentTypeError("the URL of an identity provider, as its tokens name it in `iss`")
    return text


def _park(text: str) -> str:
    if text != ALL_PARKS and not PARK_ID.fullmatch(text):
        raise argparse.ArgumentTypeError("a park id such as bohai-demo, or '*' for all parks")
    return text


def _time(text: str) -> datetime:
    problem = argparse.ArgumentTypeError("a time with its offset (ISO 8601), such as 2026-01-01T00:00:00+08:00")
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise problem from None
    if time.tzinfo is None:
        raise problem
    return time


def _days(text: str) -> float:
    try:
        days = float(text)
    except ValueError:
        days = -1.0
    if not 0 <= days <= _MOST_DAYS:
        raise argparse.ArgumentTypeError(f"a number of days, 0 to {_MOST_DAYS}")
    return days
