"""`jaxnet inspect`: what is in a saved file, without trusting it. Needs no JAX."""

import argparse
from pathlib import Path

from jaxnet.cli.console import say
from jaxnet.cli.interrupt import Check
from jaxnet.cli.run_folder import model_file
from jaxnet.data.regular import open_regular
from jaxnet.errors import InvalidInput
from jaxnet.persistence.outline import outline
from jaxnet.persistence.seal import SHORTEST_KEY


def run(args: argparse.Namespace, check_interrupt: Check) -> None:
    """Carry out `jaxnet inspect` as `args` ask."""
    key = None if args.key_file is None else _read_key(args.key_file)
    path = model_file(args.file) if Path(args.file).exists() else args.file
    lines = outline(path, key)
    check_interrupt()
    say("\n".join(lines) + "\n")


def _read_key(path: str) -> bytes:
    """The bytes of a file, all of them."""
    with open_regular(path) as file:
        key = file.read()
    if len(key) < SHORTEST_KEY:
        raise InvalidInput(f"--key-file {path} holds {len(key)} bytes: a key has at least {SHORTEST_KEY}.")
    return key
