"""Tables read a batch of rows at a time, so that a file may be larger than memory.

CSV, TSV and Parquet come in batches; an NPZ file and what is in memory already are one batch.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jaxnet.data.spelled import USUAL, Spelling, remedies
from jaxnet.data.tables import (
    BLOCK,
    SEPARATORS,
    Table,
    arrow_errors,
    check_names,
    column_name,
    format_of,
    nulls_of,
    read_table,
)
from jaxnet.errors import InvalidInput

_CELLS = 1 << 22  # of a Parquet file in a batch
_ROWS = 1 << 16
_BUFFER = 1 << 20  # bytes of a Parquet column to read at once
_NO_NUMBER = re.compile(r"In CSV column #(\d+):.*?conversion error to \w+: invalid value '(.*)'", re.DOTALL)


@dataclass(frozen=True)
class Stream:
    """A table whose rows come in batches: `source`, `names` and `nulls` are those of `Table`."""

    source: str
    names: tuple[str, ...]
    _batches: Callable[[Sequence[str]], Iterator[tuple[Any, ...]]]
    nulls: frozenset[str] = frozenset()

    @classmethod
    def of(cls, table: Table) -> "Stream":
        """A table in memory."""
        places = {name: j for j, name in enumerate(table.names)}
        return cls(
            table.source,
            table.names,
            lambda names: iter([tuple(table.columns[places[name]] for name in names)]),
            table.nulls,
        )

    def tables(self, names: Sequence[str]) -> Iterator[Table]:
        """All rows of the columns `names`, in order; where there are several batches, the source of each names its rows.

        Of no columns, the rows of some other. Raises `InvalidInput` if there are no rows, or where they cannot be read.
        """
        names = tuple(names) or self.names[:1]
        batches = (batch for batch in self._batches(names) if len(batch[0]))
        ahead, start = next(batches, None), 0
        if ahead is None:
            raise InvalidInput(f"{self.source} holds no rows.")
        while ahead is not None:
            batch, ahead = ahead, next(batches, None)
            end = start + len(batch[0])
            source = self.source if start == 0 and ahead is None else f"{self.source} (rows {start + 1:,} to {end:,})"
            yield Table(source, names, batch, self.nulls)
            start = end


def read_stream(path: str | Path, *, text: Iterable[str] = (), spelling: Spelling = USUAL) -> Stream:
    """The table in a file, as `read_table` reads it and with its errors, a batch at a time.

    What a column of a CSV or TSV holds is told by its first rows: further down, whole numbers may turn into others, but
    not into text.
    """
    path, text = Path(path), frozenset(text)
    kind = format_of(path)
    if kind == ".npz":
        return Stream.of(read_table(path, spelling=spelling))
    with arrow_errors(path):
        if kind == ".parquet":
            from pyarrow import parquet

            written = parquet.read_schema(path).names
            read = _parquet_batches
        else:
            written = _csv_types(path, kind, text, spelling, BLOCK)[0].names
            read = _csv_batches
    names = tuple(map(column_name, written))
    check_names(path.name, names)
    if not names:
        raise InvalidInput(f"{path.name} holds no columns.")
    as_written = dict(zip(names, written, strict=True))
    return Stream(
        path.name,
        names,
        lambda asked: _guarded(
            path, read(path, kind, [as_written[name] for name in asked], text, spelling), text, spelling
        ),
        nulls_of(kind) | set(spelling.na),
    )


def _guarded(path: Path, batches: Iterator[Any], text: frozenset[str], spelling: Spelling) -> Iterator[tuple[Any, ...]]:
    """The columns of Arrow's batches, with their errors as sentences."""
    import pyarrow

    while True:
        with arrow_errors(path):
            batch = next(batches, None)
        if batch is None:
            return
        table = pyarrow.Table.from_batches([batch])
        names = map(column_name, table.column_names)
        yield tuple(spelling.column(c, text=name in text) for name, c in zip(names, table.columns, strict=True))


def _parquet_batches(
    path: Path, kind: str, written: list[str], text: frozenset[str], spelling: Spelling
) -> Iterator[Any]:
    from pyarrow import parquet

    rows = max(min(_CELLS // len(written), _ROWS), 1)
    with parquet.ParquetFile(path, buffer_size=_BUFFER) as file:
        yield from file.iter_batches(batch_size=rows, columns=written)


def _csv_batches(path: Path, kind: str, written: list[str], text: frozenset[str], spelling: Spelling) -> Iterator[Any]:
    given, block = 0, BLOCK
    while True:
        skip = given
        schema, block = _csv_types(path, kind, text, spelling, block)
        types = {name: schema.field(name).type for name in written}
        try:
            for batch in _csv_reader(path, kind, block, types, written, spelling):
                rest = batch.slice(min(skip, len(batch)))
                skip -= len(batch) - len(rest)
                given += len(rest)
                yield rest
            return
        except ValueError as error:  # ArrowInvalid
            found = _NO_NUMBER.search(str(error))
            if found:
                name = column_name(schema.names[int(found[1])])
                raise InvalidInput(
                    f"1 column of {path.name} is not numeric: {name!r} (holds {found[2][:30]!r}); every row needs a number "
                    f"there. {remedies((), [found[2][:30]])}"
                ) from None
            if not _too_long(error, block):
                raise
            block *= 16  # again, with room for longer rows, and past those that were given


def _csv_types(path: Path, kind: str, text: frozenset[str], spelling: Spelling, block: int) -> tuple[Any, int]:
    """The names and types of all columns, by the first block, and a size of blocks that holds the first row."""
    import pyarrow as pa

    while True:
        try:
            found = _csv_reader(path, kind, block, {}, [], spelling).schema
        except ValueError as error:
            if not _too_long(error, block):
                raise
            block *= 16
            continue
        types = []
        for field in found:
            number = pa.types.is_integer(field.type) or pa.types.is_null(field.type)
            label = column_name(field.name) in text or spelling.reads(field.type)
            types.append(field.with_type(pa.string() if label else pa.float64() if number else field.type))
        return pa.schema(types), block


def _csv_reader(
    path: Path, kind: str, block: int, types: dict[str, Any], written: list[str], spelling: Spelling
) -> Any:
    from pyarrow import csv as arrow_csv

    return arrow_csv.open_csv(
        path,
        read_options=arrow_csv.ReadOptions(block_size=block),
        parse_options=arrow_csv.ParseOptions(delimiter=SEPARATORS[kind], newlines_in_values=True),
        convert_options=arrow_csv.ConvertOptions(
            column_types=types, include_columns=written, null_values=sorted(spelling.nulls)
        ),
    )


def _too_long(error: ValueError, block: int) -> bool:
    """Whether a row did not fit a block, and a larger one can be had."""
    return "block" in str(error) and block < 1 << 30
