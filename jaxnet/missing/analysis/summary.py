"""A summary of missing values for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jaxnet.data.layout import aligned, shown
from jaxnet.errors import advice

if TYPE_CHECKING:
    from jaxnet.missing.analysis.little import LittleTest
    from jaxnet.missing.analysis.patterns import MissingPatterns

SHOWN = 10
"""Lines of each table."""


def summary(found: MissingPatterns) -> str:
    """Paragraphs: how much is missing, where, in which patterns, what differs, Little's test, hints."""
    blocks = [overview(found)]
    if found.any:
        blocks += [_columns(found), _patterns(found), _pairs(found), _comparisons(found)]
        blocks.append([little_sentence(found.little, found.little_reason)])
    if found.hints:
        blocks.append(["Hints", *(f"- {shown(hint, 400)}" for hint in found.hints)])
    return "\n\n".join("\n".join(block) for block in blocks if block)


def overview(found: MissingPatterns) -> list[str]:
    """How much is missing, in one or two sentences."""
    table = f"{found.n_rows:,} row{_s(found.n_rows)} x {len(found.names):,} column{_s(len(found.names))}"
    if not found.any:
        return [f"{table}: no value is missing."]
    columns = int((found.n_missing > 0).sum())
    order = "monotone (every column's gaps lie within another's)" if found.monotone else "not monotone"
    several = f"{found.n_patterns:,} distinct pattern{_s(found.n_patterns)}"
    return [
        f"{table}: {found.n_missing.sum():,} values ({percent(found.share)}) are missing, in {columns:,} column{_s(columns)} and "
        f"{found.n_rows - found.n_complete:,} rows.",
        f"{found.n_complete:,} row{_s(found.n_complete)} complete; {several}, {order}.",
    ]


def little_sentence(test: LittleTest | None, reason: str) -> str:
    """The test with what it means, or why there is none."""
    if test is None:
        return f"Little's MCAR test does not apply. {reason}"
    against = (
        "speaks against values missing completely at random (or against normal columns, which the test assumes)"
        if test.p_value < 0.05
        else "gives no sign against values missing completely at random, which is no proof that they are"
    )
    return (
        f"Little's MCAR test on {test.n_columns} numeric columns, {test.n_rows:,} rows and {test.n_patterns:,} patterns: chi2 = "
        f"{test.statistic:.4g}, df = {test.df:,}, p = {test.p_value:.3g}; this {against}."
    )


def percent(share: float) -> str:
    """A share as a percentage that is 0% or 100% only if it is all of it.

    >>> percent(0.00001), percent(0.5), percent(0.99999)
    ('<0.1%', '50.0%', '>99.9%')
    """
    if 0 < share < 0.0005:
        return "<0.1%"
    return ">99.9%" if 0.9995 <= share < 1 else f"{100 * share:.1f}%"


def _columns(found: MissingPatterns) -> list[str]:
    rows = sorted((row for row in found.rows() if row["missing"]), key=lambda row: -row["missing"])
    lines = [(shown(row["column"]), f"{row['missing']:,}", percent(row["share"])) for row in rows[:SHOWN]]
    return [*aligned([("Column", "missing", "share"), *lines]), *_more(len(rows), "rows()")]


def _patterns(found: MissingPatterns) -> list[str]:
    rows = found.pattern_rows()
    lines = ["  Rows   share  missing columns"]
    for row in rows[:SHOWN]:
        names = ", ".join(shown(name) for name in row["missing"][:4]) or "none"
        more = row["n_missing"] - 4
        names += f" and {more:,} more" if more > 0 else ""
        lines.append(f"{row['rows']:>6,}  {percent(row['share']):>6}  {names}")
    return [*lines, *_more(found.n_patterns, "pattern_rows()")]


def _pairs(found: MissingPatterns) -> list[str]:
    rows = found.pair_rows()
    lines = [
        (f"{shown(r['first'])} and {shown(r['second'])}", f"{r['both']:,}", percent(r["overlap"])) for r in rows[:5]
    ]
    return (
        [*aligned([("Missing together", "rows", "of either"), *lines]), *_more(len(rows), "pair_rows()", 5)]
        if rows
        else []
    )


def _comparisons(found: MissingPatterns) -> list[str]:
    if not found.n_comparisons:
        return [
            "No column could be compared between rows that lack another and rows that have it: too few rows, or no "
            "other column that varies."
        ]
    rows = found.comparison_rows()
    striking = [row for row in rows if row["bh"] < 0.05]
    many = (
        f"{len(striking):,}"
        if len(striking) < len(rows) or len(rows) == found.n_comparisons
        else f"at least {len(rows):,}"
    )
    heading = (
        f"Of {found.n_comparisons:,} comparisons between rows that lack a column and rows that have it, "
        f"{many} differ{'s' if many == '1' else ''} (false discovery rate below 5%)."
    )
    if not striking:
        return [heading]
    lines = [("Missing", "differs in", "missing", "observed", "difference", "p (Holm)")]
    for row in striking[:SHOWN]:
        other = shown(row["other"]) + (f"={shown(row['level'], 16)}" if row["level"] else "")
        means = f"{row['mean_missing']:.4g}", f"{row['mean_observed']:.4g}"
        lines.append((shown(row["missing"]), other, *means, f"{row['difference']:+.2f} sd", f"{row['holm']:.2g}"))
    return [heading, *aligned(lines), *_more(len(striking), "comparison_rows()")]


def _more(count: int, where: str, most: int = SHOWN) -> list[str]:
    told = advice(f"{where} has them", "--out FOLDER writes them all")
    return [f"... and {count - most:,} more: {told}"] * (count > most)


def _s(count: int) -> str:
    return "" if count == 1 else "s"
