"""`andon`: finds the command, runs it, and turns whatever happens into an exit code and at most one line."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from pathlib import Path

from andon import errors, output
from andon.commands import COMMANDS
from andon.errors import CliError, UsageError
from andon.parser import Parser, common, nearest

_VALUED = ("--config", "--data-dir")  # options that may stand before the command, with a value
_FIRST_STEPS = """
  andon demo                                  see it work, on a simulated market
  andon core --profile paper                  a core; attach with `andon tui` from another terminal
  andon status                                how far is every limit
  andon kill --level flatten --reason "why"   pull the cord and wait for the venue's word
"""


def main(argv: list[str] | None = None) -> int:
    """Entry point. Returns the exit code; prints no traceback, whatever happens."""
    output.prepare_streams()
    arguments = sys.argv[1:] if argv is None else argv
    try:
        code = _dispatch(arguments)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return errors.INTERRUPTED
    except BrokenPipeError:
        output.drop_stdout()
        return errors.FAILED
    except Exception as error:  # noqa: BLE001  (the process boundary: no user is shown a traceback)
        return _failed(error, arguments)
    return code


def _dispatch(argv: list[str]) -> int:
    _must_be_text(argv)
    name, rest = _split(argv)
    if name is None:
        return _without_command(rest)
    if name not in COMMANDS:
        raise UsageError(
            f"andon: {name!r} is not in this build{nearest(name, list(COMMANDS))}", "see andon --help"
        )
    module_name, help_line = COMMANDS[name]
    command = import_module(f"andon.commands.{module_name}")
    parser = Parser(f"andon {name}", f"{help_line[0].upper()}{help_line[1:]}.", command.EXAMPLES[name])
    command.configure(parser, name)
    common(parser)
    try:
        args = parser.parse_args(rest)
    except SystemExit:  # only --help exits: errors raise
        return errors.DONE
    args.command = name
    result = command.run(args)
    assert isinstance(result, int)
    return result


def _split(argv: list[str]) -> tuple[str | None, list[str]]:
    """The command's name and all other words: what stands before it belongs to it as well."""
    at = 0
    while at < len(argv) and argv[at].startswith("-"):
        at += 2 if argv[at] in _VALUED else 1
    if at >= len(argv):
        return None, argv
    return argv[at], argv[:at] + argv[at + 1 :]


def _without_command(options: list[str]) -> int:
    if "--version" in options:
        output.line(f"andon {errors.version()}")
        return errors.DONE
    if options and not {"-h", "--help"} & set(options):
        unknown = next((word for word in options if word not in {"--json", *_VALUED}), "")
        what = f"{unknown!r} is not an option" if unknown else "no command given"
        raise UsageError(f"andon: {what}{nearest(unknown, ['--help', '--version'])}", "see andon --help")
    output.line(_overview())
    return errors.DONE if options else errors.USAGE


def _overview() -> str:
    width = max(map(len, COMMANDS))
    rows = "\n".join(f"  {name:<{width}}  {text}" for name, (_, text) in COMMANDS.items())
    return (
        "usage: andon COMMAND [options]\n\nA trading core with a cord to pull.\n\n"
        f"commands:\n{rows}\n\nfirst steps:{_FIRST_STEPS}\n"
        "Every command takes --help, --json, --config FILE and --data-dir DIR (default: $ANDON_HOME, else the\n"
        "user's data folder). Exit: 0 done, 1 refused or failed, 2 bad usage or configuration, 3 core not\n"
        "reachable, 4 sent but not confirmed in time."
    )


def _must_be_text(argv: list[str]) -> None:
    for position, word in enumerate(argv, 1):
        try:
            word.encode()
        except UnicodeEncodeError:
            raise UsageError(f"andon: argument {position} is not valid UTF-8", "type it again") from None


def _failed(error: Exception, argv: list[str]) -> int:
    known = errors.explain(error)
    if known is not None:
        code, text = known
        prefix = "" if isinstance(error, CliError) and text.startswith("andon") else "andon: "
        output.complain(prefix + text)
        return code
    path = errors.crash_file(error, _folder_named(argv))
    output.complain(f"andon: a fault of ours ({type(error).__name__}); please send the file {path}")
    return errors.FAILED


def _folder_named(argv: list[str]) -> Path | None:
    """The data folder, found without the code that has just failed."""
    for position, word in enumerate(argv):
        if word == "--data-dir" and position + 1 < len(argv):
            return Path(argv[position + 1])
        if word.startswith("--data-dir="):
            return Path(word.partition("=")[2])
    home = os.environ.get("ANDON_HOME")
    return Path(home) if home else None
