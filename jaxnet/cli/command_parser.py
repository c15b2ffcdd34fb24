"""A parser of options that may be given once, as the last of two would win; those that extend a list may be repeated."""

import argparse
from typing import Any

from jaxnet.data.layout import visible


class CommandParser(argparse.ArgumentParser):
    """`args.given` has the `dest` of every option that was given, whatever its value."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.color = False  # which Python has from 3.14 on, as escapes that would be made visible
        for name, action in ((None, _Store), ("store", _Store), ("store_true", _StoreTrue)):
            self.register("action", name, action)
        self.set_defaults(given=frozenset())

    def _print_message(self, message: str, file: Any = None) -> None:
        super()._print_message("\n".join(map(visible, message.split("\n"))), file)


class _Once(argparse.Action):
    def __call__(self, parser, namespace, values, option_string=None) -> None:
        if option_string is not None:
            if self.dest in namespace.given:
                all_values = " (all its values go after one)" if self.nargs == "+" else ""
                parser.error(f"{'/'.join(self.option_strings)} is given twice: give it once{all_values}")
            namespace.given |= {self.dest}
        super().__call__(parser, namespace, values, option_string)


class _Store(_Once, argparse._StoreAction):
    pass


class _StoreTrue(_Once, argparse._StoreTrueAction):
    pass
