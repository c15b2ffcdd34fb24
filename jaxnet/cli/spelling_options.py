"""The options that say how a table is written: what stands for missing values, and the marks of decimals and thousands."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # the options must be told before anything heavy is imported
    from jaxnet.data.spelled import Spelling

NAMES = ("na", "decimal", "thousands")


def add_spelling(parser: argparse._ActionsContainer, *, of_run: bool = False) -> None:
    """How DATA is written; `of_run`: by default as the table of the run was."""
    default = "by default as the run was told" if of_run else "besides NA, NaN, null and the like"
    missing = f"texts, or numbers such as -999, that stand for missing values; {default}"
    parser.add_argument("--na", metavar="TEXT", nargs="+", action="extend", help=missing)
    parser.add_argument("--decimal", metavar="MARK", help="the mark before decimals, such as ','; else a point")
    parser.add_argument("--thousands", metavar="MARK", help="the mark between groups of three digits; else none")


def check_spelling(args: argparse.Namespace) -> None:
    """Refuse to be told how a table is written where no file is read."""
    given = [name for name in NAMES if getattr(args, name, None) is not None]
    if given and args.data is None:
        args.parser.error(f"--{given[0]} says how a file is written: name one, DATA")


def spelling_of(args: argparse.Namespace, told: dict[str, Any] | None = None) -> Spelling:
    """What `args` say of how a table is written; what they leave open is as a run was `told` (`as_told`)."""
    from jaxnet.data.spelled import Spelling

    asked = {name: getattr(args, name) for name in NAMES if getattr(args, name) is not None}
    chosen = {**(told or {}), **asked}
    return Spelling(tuple(chosen.get("na") or ()), chosen.get("decimal"), chosen.get("thousands"))


def as_told(args: argparse.Namespace) -> dict[str, Any]:
    """The options, for the model of a run."""
    return {name: getattr(args, name) for name in NAMES}
