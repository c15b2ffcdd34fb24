"""What the tests of stores have in common: a short sweep, and how it is stopped."""

import itertools

import cases
from saved import as_tree, equal

import jaxnet


def run_sweep(name: str = "wide", **options):
    data = cases.data(name)
    return jaxnet.sweep(data.X, data.y, **{**cases.GRID, "cv": 3, **options})


def same(a, b) -> bool:
    return equal(as_tree(a), as_tree(b))


def stop_after(calls: int):
    """A progress function that is interrupted at its call of that number."""
    count = itertools.count(1)

    def progress(done, total):
        if next(count) >= calls:
            raise KeyboardInterrupt

    return progress
