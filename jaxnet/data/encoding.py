"""What repeats an encoding of labels as indicator columns on new rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from jaxnet.data.factors import TRUTH, Factor
from jaxnet.data.mixed import MixedColumns, mixed_columns
from jaxnet.errors import InvalidInput, warn_caller

if TYPE_CHECKING:  # a saved encoding needs no time for annotations
    from jaxtyping import Bool, Float, Int

    from jaxnet.data.categories import Categories

MISSING = "(missing)"
"""What a missing label is called."""
TIE = 1e-12
"""Sums of weights that differ by no more, as a share, are the same, whatever the order of summation."""


@dataclass(frozen=True, eq=False)
class Encoding:
    """Which column of a table, and which of its levels, each column of a matrix stands for; made by `encode`.

    Column m of the matrix is input column `source[m]` if `level[m]` is -1, else the indicator of its level
    `levels[source[m]][level[m]]`, of missing values if that is one beyond the last; `names` (p',) are what they are called,
    or None if no column has a name and all are numbers.

    `columns` (p,): names of the input columns, or None. `levels` (p,): their levels, in order, or None for numbers.
    `boolean` (p,): whether levels are truth values, not texts that spell them. `categories`: the options.
    """

    columns: tuple[str, ...] | None
    levels: tuple[tuple[str, ...] | None, ...]
    boolean: tuple[bool, ...]
    source: Int[np.ndarray, " m"]
    level: Int[np.ndarray, " m"]
    names: tuple[str, ...] | None
    categories: Categories

    def transform(self, X: Any, *, name: str = "X") -> Float[np.ndarray, "n m"]:
        """The columns of new rows (n, p'), NaN where numbers are missing.

        Columns of a frame are matched by name, others are ignored; those of an array go by position. Indicators of levels
        that are not in `levels`, and of missing values where there were none, are all zero; `unseen` says whether that is
        a warning or an error. Raises InvalidInput also for other columns, and for infinite values, naming columns.

        >>> from jaxnet.data.categories import encode
        >>> encoding = encode([["Leeds", True], ["York", False]])[1]
        >>> encoding.names, encoding.transform([["York", True]]).tolist()
        (('x0=Leeds', 'x0=York', 'x1=True'), [[0.0, 1.0, 1.0]])
        """
        return self.matrix(mixed_columns(X, name, columns=self.columns, labelled=self.labelled), name=name)

    def matrix(
        self, found: MixedColumns, *, name: str = "X", unseen: dict[str, dict[str, int]] | None = None
    ) -> Float[np.ndarray, "n m"]:
        """`transform` of columns that were read already, as `labelled` says.

        unseen: where counts of levels that there were not are added up, by column, for `warn_of`; default None, they are
        told at once.
        """
        numeric = self.level < 0
        if numeric.all():
            return found.numbers
        out = np.empty((len(found.numbers), len(self.source)), _dtype(found.numbers), order="F")
        out[:, numeric] = found.numbers
        here = {}
        for j, factor in enumerate(found.factors):
            if factor is not None:
                counts = self._indicate(j, factor, out, name)
                if counts:
                    here[self._label(j)] = counts
        if unseen is None or self.categories.unseen == "error":
            self.warn_of(here, name)
        else:
            for column, counts in here.items():
                sums = unseen.setdefault(column, {})
                sums.update({label: sums.get(label, 0) + count for label, count in counts.items()})
        return out

    @property
    def labelled(self) -> tuple[bool, ...]:
        """Whether each input column holds labels, (p,)."""
        return tuple(levels is not None for levels in self.levels)

    @property
    def text(self) -> tuple[str, ...]:
        """Names of the input columns to read from CSV as they are written, so that 008 stays a label: `read_stream(text=)`."""
        held = zip(self.columns or (), self.levels, self.boolean, strict=False)
        return tuple(column for column, levels, boolean in held if levels is not None and not boolean)

    @property
    def blocks(self) -> Int[np.ndarray, " m"]:
        """For each made column the number of the variable whose level it indicates, 0, 1, ...; -1 for numbers.

        A row of zeros in a block has the level left out, or one unseen; of NaN, a missing one that is to be filled.
        """
        number = np.cumsum(self.labelled) - 1
        return np.where(self.level < 0, -1, number[self.source])

    def excluded(self, matrix: Float[np.ndarray, "n m"], weights: Float[np.ndarray, "G n"]) -> Bool[np.ndarray, "G m"]:
        """Which columns each group of row weights leaves out as the reference: all False unless that is "frequent".

        In group g, of every variable with a column for each level, the level l of the largest sum_i w_gi x_il over the rows
        where it is known, the first of several; truth values have one column, which stays, and so does that of missing
        values.
        """
        out = np.zeros((len(weights), len(self.source)), bool)
        if self.categories.reference != "frequent":
            return out
        for j, levels in enumerate(self.levels):
            if not levels or self.boolean[j]:
                continue
            at = np.flatnonzero((self.source == j) & (self.level < len(levels)))
            total = weights @ np.nan_to_num(matrix[:, at].astype(np.float64, copy=False))
            most = total.max(axis=1, keepdims=True)
            first = np.argmax(total >= (1 - TIE) * most, axis=1)
            out[np.arange(len(out)), at[first]] = most[:, 0] > 0
        return out

    def of_columns(self, kept: Sequence[int]) -> Encoding:
        """The encoding of the input columns with the numbers `kept`, which ascend, alone."""
        kept = list(kept)
        made = np.isin(self.source, kept)
        return Encoding(
            columns=None if self.columns is None else tuple(self.columns[j] for j in kept),
            levels=tuple(self.levels[j] for j in kept),
            boolean=tuple(self.boolean[j] for j in kept),
            source=np.searchsorted(kept, self.source[made]),
            level=self.level[made],
            names=None if self.names is None else tuple(self.names[m] for m in np.flatnonzero(made)),
            categories=self.categories,
        )

    def __repr__(self) -> str:
        variables = sum(self.labelled)
        made = int(np.count_nonzero(self.level >= 0))
        return f"Encoding: {len(self.levels):,} columns, {variables:,} of them labels as {made:,} indicators"

    def _indicate(self, j: int, factor: Factor, out: np.ndarray, name: str) -> dict[str, int]:
        """Write the indicators of input column j; how many rows have which level that there was not."""
        known, at = self.levels[j], np.flatnonzero(self.source == j)
        factor = self._as_truth(j, factor, name) if self.boolean[j] else factor
        place = {label: k for k, label in enumerate(known)}
        codes = np.array([*(place.get(label, -2) for label in factor.labels), -1])[factor.codes]
        for m in at:
            out[:, m] = codes == (self.level[m] if self.level[m] < len(known) else -1)
        missing = int(np.count_nonzero(codes == -1))
        if self.categories.missing == "mode" and missing:
            out[np.ix_(codes == -1, at)] = np.nan
        times = np.bincount(factor.codes + 1, minlength=len(factor.labels) + 1)[1:]
        counts = {label: int(t) for label, t in zip(factor.labels, times, strict=True) if t and label not in place}
        if missing and self.categories.missing == "level" and not (self.level[at] == len(known)).any():
            counts[MISSING] = missing
        return counts

    def _as_truth(self, j: int, factor: Factor, name: str) -> Factor:
        """Zeros and ones as truth values; texts are none, though they spell one."""
        if factor.boolean:
            return factor
        if not {*factor.labels} <= {"0", "1"}:
            wrong = next(label for label in factor.labels if label not in ("0", "1"))
            raise InvalidInput(
                f"Column {self._label(j)} of {name} has the value {wrong!r:.60}, where there were truth values before: pass "
                "True and False."
            )
        to = np.array([*(int(label) for label in factor.labels), -1])
        return Factor(to[factor.codes], TRUTH, True)

    def _label(self, j: int) -> str:
        return repr(self.columns[j]) if self.columns is not None else f"x{j}"

    def warn_of(self, unseen: dict[str, dict[str, int]], name: str) -> None:
        """Warn of levels that there were not, or raise InvalidInput if `unseen` says so, naming columns, levels and counts."""
        if not unseen:
            return
        shown = "; ".join(f"{column} has {_counted(counts)}" for column, counts in list(unseen.items())[:5])
        more = f"; and {len(unseen) - 5} columns more" if len(unseen) > 5 else ""
        text = f"{name} has levels that there were none of when it was encoded: {shown}{more}."
        if self.categories.unseen == "error":
            raise InvalidInput(f"{text} Replace them or drop those rows, or encode with unseen='warn'.")
        warn_caller(f"{text} All indicators of these columns are zero there.")


def _dtype(numbers: np.ndarray) -> np.dtype:
    return numbers.dtype if numbers.shape[1] else np.dtype(np.float64)


def _counted(counts: dict[str, int]) -> str:
    most = sorted(counts.items(), key=lambda pair: -pair[1])
    shown = ", ".join(f"{label if label == MISSING else repr(label)[:60]} ({count:,})" for label, count in most[:5])
    return shown + (f" and {len(most) - 5} more" if len(most) > 5 else "")
