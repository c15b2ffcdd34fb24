"""The command `jaxnet`: fits and predictions from files, without writing Python.

Exit codes: 0 done; 1 the data or the request is wrong, or a file cannot be read or written (one sentence on standard
error); 2 wrong usage; 130 interrupted. Anything else is a bug in jaxnet and shows its traceback.
"""

import warnings
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module

from jaxnet.cli.console import complain
from jaxnet.cli.interrupt import interruptible
from jaxnet.cli.parser import parse
from jaxnet.cli.wording import in_options, without_arguments
from jaxnet.errors import InvalidInput, on_command_line


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line `argv` (by default the process's own) and return its exit code.

    Raises `SystemExit` for `--help`, `--version` and wrong usage, as argparse does.
    """
    args = parse(argv)
    try:
        with on_command_line(), _one_line_warnings(args.parser), interruptible() as check_interrupt:
            import_module(f"jaxnet.cli.{args.command}_command").run(args, check_interrupt)
        return 0
    except KeyboardInterrupt as stop:
        kept = getattr(stop, "__notes__", ["no unfinished file was left behind."])
        complain(f"interrupted; {' '.join(kept)}")
        return 130
    except InvalidInput as error:
        complain(in_options(str(error), args.parser))
    except BrokenPipeError:  # the reader of our output has gone (| head): there is no more to say
        pass
    except OSError as error:
        complain(f"{f'{error.filename}: ' if error.filename else ''}{error.strerror or error}.")
    except MemoryError as error:
        complain(f"out of memory ({error}); try --dtype float32, or --drop columns.")
    return 1


@contextmanager
def _one_line_warnings(parser: ArgumentParser) -> Iterator[None]:
    """Warnings as single lines without source code."""
    with warnings.catch_warnings():
        warnings.showwarning = lambda message, *_, **__: complain(f"warning: {without_arguments(str(message), parser)}")
        warnings.filterwarnings("always", category=UserWarning)
        yield
