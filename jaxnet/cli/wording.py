"""Messages of the library in the words of the command line: its options in place of arguments.

Advice that is another altogether is chosen where it is written, by `errors.advice`.
"""

import argparse
import re

_CLASSES = (
    "Adaptive",
    "Categories",
    "IterativeFill",
    "KFold",
    "Missing",
    "MultipleFill",
    "NeighbourFill",
    "Pairwise",
    "SimpleFill",
)
"""Of the library, which hold what options give."""
_OTHERWISE = {  # what the library calls what an option gives
    "n_pairs": "--pairs",
    "gamma": "--adaptive",
    "value": "--fill-value",
    "sample_weight": "--weights",
    "penalise_indicators": "--indicators free",
}


def in_options(message: str, parser: argparse.ArgumentParser) -> str:
    """An error with `--max-iter 0` for max_iter=0, and without the names of classes that hold an argument.

    >>> parser = argparse.ArgumentParser()
    >>> _ = parser.add_argument("--max-iter")
    >>> in_options("max_iter=0 must be an integer", parser)
    '--max-iter 0 must be an integer'
    """
    message = _OF_CLASS.sub("", message)
    names = _names(parser)
    given = re.compile(rf"(?<![\w'\"./=-])({_any(names)})=('[^']*'|\"[^\"]*\"|[^\s,;:)]*[^\s,;:).])")
    message = given.sub(lambda found: f"{names[found[1]]} {_bare(found[2])}", message)
    return without_arguments(message, parser)


def without_arguments(message: str, parser: argparse.ArgumentParser) -> str:
    """A warning with --max-iter for max_iter; names that are words stay."""
    names = {name: flag for name, flag in _names(parser).items() if "_" in name}
    return re.sub(rf"(?<![\w'\"./-])({_any(names)})(?![\w'\"=])", lambda found: names[found[1]], message)


_OF_CLASS = re.compile(rf" of ({'|'.join(_CLASSES)})(?= must| is|:|,)")


def _names(parser: argparse.ArgumentParser) -> dict[str, str]:
    """The options of a command by the names of the arguments that they are passed as."""
    own = {action.dest: action.option_strings[-1] for action in parser._actions if action.option_strings}
    return {**_OTHERWISE, **own}


def _any(names: dict[str, str]) -> str:
    return "|".join(sorted(map(re.escape, names), key=len, reverse=True))


def _bare(value: str) -> str:
    return value[1:-1] if value[0] in "'\"" and len(value) > 2 else value
