"""What a report says about missing values, as plain data."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from jaxnet import plots
from jaxnet.data.arrays import raw_columns
from jaxnet.data.mixed import MixedColumns
from jaxnet.missing.analysis.patterns import MissingPatterns, analyse
from jaxnet.missing.analysis.summary import little_sentence, overview, percent
from jaxnet.missing.columns import Columns
from jaxnet.plots.images import Picture, render
from jaxnet.plots.missing import size

MOST = 200
"""Rows of each table."""
Cell = tuple[str, float | None]
"""What is written, and of a number its value, by which the page sorts."""


@dataclass(frozen=True)
class Table:
    """A table with headings, (text, whether numbers follow)."""

    title: str
    note: str
    headings: list[tuple[str, bool]]
    rows: list[list[Cell]]


@dataclass(frozen=True)
class MissingSection:
    """The section "Missing values" of a page; without a picture and tables where nothing is missing."""

    sentences: list[str]
    hints: list[str]
    picture: Picture | None
    tables: list[Table]


def section_of(X: Any) -> MissingSection | None:
    """The section for a table, None where nothing is missing."""
    columns = Columns.of(*(X.raw() if isinstance(X, MixedColumns) else raw_columns(X)))
    return missing_section(analyse(columns)) if columns.missing.any() else None


def missing_section(found: MissingPatterns) -> MissingSection:
    """What the page says of the missing values of a table."""
    hints = list(found.hints)
    if not found.any:
        return MissingSection(overview(found), hints, None, [])
    sentences = [*overview(found), little_sentence(found.little, found.little_reason)]
    width, height = size(found)
    picture = Picture(
        "Patterns",
        "A row for each pattern, the most frequent on top; orange is missing.",
        render(lambda ax: plots.missing_patterns(found, ax=ax), width=width, height=height),
    )
    tables = [_columns(found), _patterns(found), _pairs(found), _comparisons(found)]
    return MissingSection(sentences, hints, picture, [table for table in tables if table.rows])


def _number(value: float, form: str = ",") -> Cell:
    most = sys.float_info.max  # a script that sorts knows no "inf"
    return f"{value:{form}}", min(max(float(value), -most), most)


def _share(value: float) -> Cell:
    return percent(value), float(value)


def _text(value: str) -> Cell:
    return value, None


def _table(
    title: str, note: str, headings: dict[str, bool], rows: list[dict], cells: Callable[[dict], list[Cell]]
) -> Table:
    note += f" The first {MOST} of {len(rows):,}." if len(rows) > MOST else ""
    return Table(title, note.strip(), list(headings.items()), [cells(row) for row in rows[:MOST]])


def _columns(found: MissingPatterns) -> Table:
    rows = sorted((row for row in found.rows() if row["missing"]), key=lambda row: -row["missing"])
    cells = lambda row: [_text(row["column"]), _number(row["missing"]), _share(row["share"])]
    headings = {"column": False, "rows that lack it": True, "share": True}
    return _table("Columns with missing values", "The others are complete.", headings, rows, cells)


def _patterns(found: MissingPatterns) -> Table:
    def cells(row: dict[str, Any]) -> list[Cell]:
        names = ", ".join(row["missing"][:12]) or "none"
        more = row["n_missing"] - 12
        names += f" and {more:,} more" if more > 0 else ""
        return [_number(row["rows"]), _share(row["share"]), _number(row["n_missing"]), _text(names)]

    headings = {"rows": True, "share": True, "columns missing": True, "which": False}
    note = f"{found.n_patterns:,} distinct sets of missing columns; {'' if found.monotone else 'not '}monotone."
    return _table("Patterns", note, headings, found.pattern_rows(), cells)


def _pairs(found: MissingPatterns) -> Table:
    def cells(row: dict[str, Any]) -> list[Cell]:
        return [_text(row["first"]), _text(row["second"]), _number(row["both"]), _share(row["overlap"])]

    headings = {"column": False, "and column": False, "rows that lack both": True, "of those that lack either": True}
    return _table("Missing together", "Pairs of columns.", headings, found.pair_rows(), cells)


def _comparisons(found: MissingPatterns) -> Table:
    def cells(row: dict[str, Any]) -> list[Cell]:
        other = row["other"] + (f"={row['level']}" if row["level"] else "")
        means = _number(row["mean_missing"], ".4g"), _number(row["mean_observed"], ".4g")
        counts = _number(row["n_missing"]), _number(row["n_observed"])
        tests = _number(row["p_value"], ".2g"), _number(row["holm"], ".2g"), _number(row["bh"], ".2g")
        return [_text(row["missing"]), _text(other), *counts, *means, _number(row["difference"], "+.2f"), *tests]

    headings = {"missing": False, "compared": False, "rows lacking": True, "rows having": True, "mean lacking": True}
    headings |= {"mean having": True, "difference (sd)": True, "p": True, "p (Holm)": True, "p (BH)": True}
    note = (
        "Rows that lack a column and rows that have it, by the means of the other columns (of a level: its share). p-values are "
        f"adjusted over {found.n_comparisons:,} comparisons: Holm bounds the chance of any false one, BH "
        "(Benjamini and Hochberg) the expected share of false ones."
    )
    return _table("Rows that lack a column and rows that have it", note, headings, found.comparison_rows(), cells)
