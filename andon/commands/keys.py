"""`andon keys`: key pairs of clients that attach over TCP."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from andon import output
from andon.errors import DONE, UsageError
from andon.session import keys_dir

ROLES = ("viewer", "trader", "operator", "admin")
EXAMPLES = {
    "keys": """\
  andon keys new desk --role operator     writes keys/desk.key in the data folder; a running core takes it at once
  andon keys list
  copy desk.key to the machine it is for (mode 0600), then: andon tui --attach … --key desk.key"""
}


def configure(parser: ArgumentParser, name: str) -> None:
    """Options of `andon keys`."""
    parser.add_argument("action", choices=("new", "list"))
    parser.add_argument("name", nargs="?", default="", metavar="NAME", help="whose key it is")
    parser.add_argument(
        "--role", choices=ROLES, help="what the key may do: viewer < trader < operator < admin"
    )


def run(args: Namespace) -> int:
    """Make a pair or list the known ones. Secrets are written to files, never printed."""
    return _new(args) if args.action == "new" else _list(args)


def _new(args: Namespace) -> int:
    if not args.name or not args.role:
        raise UsageError("andon keys new: needs a name and a role", "andon keys new desk --role operator")
    from bus.keys import new_key

    folder = keys_dir(args)
    pair = new_key(folder, args.name, args.role)
    path = folder / f"{args.name}.key"
    if args.json:
        output.json_line({"name": pair.name, "role": pair.role, "public_key": pair.public, "file": str(path)})
    else:
        output.line(output.clean(f"{pair.name} ({pair.role}): {path}, mode 0600; give it to nobody else"))
    return DONE


def _list(args: Namespace) -> int:
    if args.name or args.role:
        raise UsageError("andon keys list: takes no name and no role", "andon keys list")
    from bus.keys import read_known

    known = sorted(read_known(keys_dir(args)).items(), key=lambda item: item[1].name)
    rows = [{"name": who.name, "role": who.role, "public_key": public} for public, who in known]
    if args.json:
        for row in rows:
            output.json_line(row)
    elif rows:
        output.table(("name", "role", "public key"), [list(row.values()) for row in rows], left=3)
    else:
        output.line("no keys yet; the owner of the data folder needs none: andon keys new NAME --role ROLE")
    return DONE
