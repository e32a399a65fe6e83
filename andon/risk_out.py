"""`--out FILE` of the risk commands: the rows that were printed, as CSV, Parquet or Arrow, by the file's ending."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from andon.errors import CliError


def out_option(parser: ArgumentParser) -> None:
    """The option itself."""
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="write the rows too: .csv, .parquet, .arrow (also .feather)"
    )


def keep(args: Namespace, rows: Sequence[dict[str, Any]]) -> None:
    """Write ``rows`` where ``--out`` says, if it says anything."""
    path: Path | None = getattr(args, "out", None)
    if path is None:
        return
    from core.analytics.columns import write

    try:
        write(path, rows)
    except ImportError:
        do = "install Andon with its parquet extra: pip install 'andon[parquet]', or use --out FILE.csv"
        raise CliError(f"andon risk {args.what}: {path.suffix} needs pyarrow", do) from None
    except OSError as error:
        do = "choose another file, or make room"
        raise CliError(f"andon risk {args.what}: {path}: {error.strerror or error}", do) from None
