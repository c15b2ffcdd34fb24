"""Tables read from files: CSV, TSV (plain or .gz), Parquet and NPZ.

CSV, TSV and Parquet go through pyarrow (the `cli` extra), imported on first use. NPZ needs only NumPy: a matrix `X`
(n, p), optionally `feature_names` (p,), and any number of 1-D arrays of length n, each a column of its own name.
"""

import difflib
import shlex
import zipfile
import zlib
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from jaxnet.data.arrow import as_numpy, holds_labels
from jaxnet.data.categories import Categories, encode_columns
from jaxnet.data.encoding import Encoding
from jaxnet.data.mixed import MixedColumns, mixed_table
from jaxnet.data.regular import open_regular
from jaxnet.data.spelled import MARKERS, USUAL, Spelling, is_number, remedies
from jaxnet.errors import InvalidInput

SEPARATORS = {".csv": ",", ".tsv": "\t"}
_FORMATS = {".csv": ".csv", ".tsv": ".tsv", ".tab": ".tsv", ".parquet": ".parquet", ".pq": ".parquet", ".npz": ".npz"}
_PANDAS_INDEX = "__index_level_0__"  # how pandas names a nameless row index in Parquet
BLOCK = 1 << 22  # bytes; pyarrow wants every row within one block
_SHOWN = 5  # columns named in full before a message says "and ... more"


@dataclass(frozen=True)
class Table:
    """Named columns of equal length, as they stand in the file.

    source: what messages call the table, usually the file's name.
    names: the columns, unique and in file order; one may be nameless (""), as a saved row index is.
    columns: one per name: 1-D NumPy arrays or pyarrow columns, turned into NumPy when asked for.
    nulls: texts that stand for a missing label, as in CSV and TSV.
    """

    source: str
    names: tuple[str, ...]
    columns: tuple[Any, ...]
    nulls: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        check_names(self.source, self.names)
        if not self.names or not len(self):
            raise InvalidInput(f"{self.source} holds no {'rows' if self.names else 'columns'}: nothing to fit.")

    def __len__(self) -> int:
        return len(self.columns[0])

    def position(self, name: str, role: str) -> int:
        """Where the column `name` stands; the error names the nearest. `role` is the option that asked for it."""
        try:
            return self.names.index(name)
        except ValueError:
            raise InvalidInput(f"{role} {name!r} is no column of {self.source}; {self._nearest(name)}.") from None

    def raw(self, name: str, role: str = "column") -> np.ndarray:
        """One column as a 1-D array: numbers as they are (missing = NaN), anything else as objects (missing = None)."""
        return as_numpy(self.columns[self.position(name, role)])

    def vector(self, name: str, role: str = "column") -> np.ndarray:
        """One column as finite float64 (n,); raises `InvalidInput` naming the first rows at fault."""
        values = self.raw(name, role)
        if values.dtype.kind not in "biuf":
            raise InvalidInput(
                f"{role} {name!r} in {self.source} is not numeric (it holds {_example(values)!r}): it must be a number "
                "in every row."
            )
        bad = np.flatnonzero(~np.isfinite(values.astype(np.float64)))
        if bad.size:
            rows = ", ".join(str(i + 1) for i in bad[:_SHOWN]) + (", ..." if bad.size > _SHOWN else "")
            raise InvalidInput(
                f"{role} {name!r} in {self.source} has {_missing_or_infinite(values)} (data row{_s(bad.size)} {rows}): "
                "remove those rows or fill them in."
            )
        return values.astype(np.float64)

    def matrix(self, names: Sequence[str], *, can_drop: bool = True) -> np.ndarray:
        """The columns `names` as a finite matrix (n, len(names)), column-major; float32 if all are, else float64.

        Raises `InvalidInput` naming the columns that hold text, missing or infinite values, with counts and the remedy;
        leaving them out is one if `can_drop`.
        """
        places = {name: j for j, name in enumerate(self.names)}
        columns = [as_numpy(self.columns[places[name]]) for name in names]
        text = {name: c for name, c in zip(names, columns, strict=True) if c.dtype.kind not in "biuf"}
        if text:
            shown = _listed(text, lambda name: f"{name!r} (holds {_example(text[name])!r})")
            s, them = _s(len(text)), "them" if len(text) > 1 else "it"
            hint = "every row needs a number there"
            if can_drop:
                hint = f"leave {them} out with --drop {shlex.join(list(text)[:_SHOWN])}, or name one with --id if it labels "
                hint += "the rows"
            texts = [_example(c) for c in text.values() if isinstance(_example(c), str)]
            more = f". {remedies((), texts)}" if texts and not can_drop else "."
            are = "are" if len(text) > 1 else "is"
            raise InvalidInput(f"{len(text)} column{s} of {self.source} {are} not numeric: {shown}; {hint}{more}")
        single = all(c.dtype == np.float32 for c in columns)
        matrix = np.empty((len(self), len(columns)), dtype=np.float32 if single else np.float64, order="F")
        for j, column in enumerate(columns):
            matrix[:, j] = column
        self.check_finite(matrix, names, can_drop=can_drop)
        return matrix

    def has_labels(self, names: Sequence[str]) -> bool:
        """Whether any of the columns `names` holds text, truth values or categories; arrays of truth values are numbers."""
        return any(holds_labels(self.columns[self.position(name, "column")]) for name in names)

    def encode(self, names: Sequence[str], categories: Categories | None = None) -> tuple[np.ndarray, Encoding]:
        """The columns `names` as a matrix in which labels are indicators, and what repeats that: `categories.encode`."""
        declared = () if categories is None else categories.columns
        return encode_columns(self.mixed(names, declared=declared), categories, name=self.source)

    def transform(self, encoding: Encoding, *, unseen: dict[str, dict[str, int]] | None = None) -> np.ndarray:
        """The columns of `encoding` in these rows, as `Encoding.matrix` gives them."""
        found = self.mixed(encoding.columns or (), encoding.labelled)
        return encoding.matrix(found, name=self.source, unseen=unseen)

    def mixed(
        self, names: Sequence[str], labelled: Sequence[bool] | None = None, declared: Collection[str] = ()
    ) -> MixedColumns:
        """The columns `names` as numbers and labels, read as `labelled` or `declared` say (see `mixed_table`)."""
        columns = {name: self.columns[self.position(name, "column")] for name in names}
        return mixed_table(columns, self.source, labelled=labelled, declared=declared, nulls=self.nulls)

    def check_finite(self, matrix: np.ndarray, names: Sequence[str], *, can_drop: bool = True) -> None:
        """Refuse missing and infinite values in a matrix made of the columns `names`."""
        bad = {}
        for j, name in enumerate(names):
            column = matrix[:, j]
            if not np.isfinite(column).all():
                bad[name] = _missing_or_infinite(column)
        if bad:
            drop = f", or leave the column{_s(len(bad))} out with --drop {shlex.join(list(bad)[:_SHOWN])}"
            if np.isnan(matrix).any():
                drop = (
                    f", say what to do about missing values with --missing mean (jaxnet missing {self.source} first tells "
                    f"which there are){drop}"
                )
            raise InvalidInput(
                f"{self.source} has gaps in {len(bad)} column{_s(len(bad))}: "
                f"{_listed(bad, lambda name: f'{name!r} ({bad[name]} in {len(self)} rows)')}; fill them in or remove "
                f"those rows{drop if can_drop else ''}."
            )

    def _nearest(self, name: str) -> str:
        same = [other for other in self.names if other.casefold() == name.casefold()]
        close = same or difflib.get_close_matches(name, self.names, n=1, cutoff=0.5)
        if close:
            return f"the nearest is {close[0]!r}"
        if _looks_like_data(self.names):
            return "its first row looks like numbers, not column names: add a header row"
        if len(self.names) == 1:
            return f"its only column is {self.names[0]!r}: check the separator (commas in .csv, tabs in .tsv)"
        return f"it has {_listed(self.names)}"


def read_table(
    path: str | Path, *, text: Iterable[str] = (), missing_text: bool = False, spelling: Spelling = USUAL
) -> Table:
    """The table in a file, its format told by the name: .csv, .tsv, .csv.gz, .tsv.gz, .parquet, .npz.

    text: columns of a CSV or TSV to keep as written (row labels such as 007).
    missing_text: whether in CSV and TSV an empty cell, NA and their like are missing in columns of text too, not the text
    that they spell; of a Parquet file, the texts that `spelling` names.
    spelling: how missing values and numbers are written.

    In CSV and TSV, empty cells and NA, NaN, null and their like are missing; the first row names the columns.
    Raises `InvalidInput` if the file cannot be understood and `OSError` if it cannot be opened.
    """
    path = Path(path)
    kind, text = format_of(path), frozenset(text)
    if kind == ".npz":
        refuse_spelling(path, spelling)
        return _read_npz(path)
    with arrow_errors(path):
        parquet = kind == ".parquet"
        table = _read_parquet(path) if parquet else _read_csv(path, SEPARATORS[kind], text, missing_text, spelling)
        names = tuple(map(column_name, table.column_names))
        columns = [
            spelling.column(c, text=name in text, missing_text=missing_text)
            for name, c in zip(names, table.columns, strict=True)
        ]
    return Table(path.name, names, tuple(columns), nulls_of(kind) | set(spelling.na))


def format_of(path: Path) -> str:
    """ ".csv", ".tsv", ".parquet" or ".npz", by the name of a file that is there; raises as `read_table` does."""
    suffixes = [s.lower() for s in path.suffixes]
    kind = suffixes[-2] if len(suffixes) > 1 and suffixes[-1] == ".gz" else (suffixes or [""])[-1]
    kind = _FORMATS.get(kind)
    if kind is None or (suffixes[-1] == ".gz" and kind not in SEPARATORS):
        if path.is_dir():
            raise InvalidInput(f"{path} is a folder: name a file.")
        raise InvalidInput(
            f"cannot tell the format of {path.name}: jaxnet reads .csv, .tsv (also .gz), .parquet and .npz files."
        )
    open_regular(path).close()  # a missing file is an OSError with its name, whatever the reader
    if kind in SEPARATORS and _starts_as_utf16(path):
        raise InvalidInput(_not_utf8(path))
    return kind


def nulls_of(kind: str) -> frozenset[str]:
    """The texts that stand for missing values in files of a format: those that pyarrow knows, in CSV and TSV."""
    if kind not in SEPARATORS:
        return frozenset()
    from pyarrow import csv as arrow_csv

    return frozenset(arrow_csv.ConvertOptions().null_values)


def refuse_spelling(path: Path, spelling: Spelling) -> None:
    """Refuse to be told how numbers are written where none are."""
    if spelling:
        raise InvalidInput(
            f"{path.name} holds numbers, not text: {spelling.given()} says how text is to be read; leave it out."
        )


def check_names(source: str, names: Sequence[str]) -> None:
    """Refuse columns of the same name."""
    repeated = [name for name, times in Counter(names).items() if times > 1]
    if repeated:
        raise InvalidInput(f"{source} has duplicate column names: {_listed(repeated)}; rename them.")


def column_name(written: str) -> str:
    """A column's name from what the file says: without spaces around it; empty for a saved row index."""
    return "" if written == _PANDAS_INDEX else written.strip()


@contextmanager
def arrow_errors(path: Path) -> Iterator[None]:
    """What pyarrow raises over the file, or for want of pyarrow, as `InvalidInput`."""
    arrow = _pyarrow()
    try:
        yield
    except UnicodeDecodeError:
        raise InvalidInput(_not_utf8(path)) from None
    except UnicodeEncodeError:
        raise InvalidInput(f"cannot read {path.name}: its name or a folder's is not valid text; rename it.") from None
    except (arrow.ArrowException, OSError) as error:
        reason = str(error).strip().rstrip(".")
        hint = "; check that row and the separator (commas in .csv, tabs in .tsv)" if "Expected" in reason else ""
        raise InvalidInput(f"cannot read {path.name}: {reason}{hint}.") from None


def _starts_as_utf16(path: Path) -> bool:
    with open_regular(path) as file:
        return file.read(2) in (b"\xff\xfe", b"\xfe\xff")


def _not_utf8(path: Path) -> str:
    return f"{path.name} is not UTF-8 text: save it as UTF-8 (in a spreadsheet: CSV UTF-8)."


def _pyarrow() -> Any:
    try:
        import pyarrow
    except ImportError:
        raise InvalidInput(
            "reading CSV, TSV and Parquet files needs pyarrow: install it with pip install 'jaxnet-elasticnet[cli]', "
            "or pass an .npz file."
        ) from None
    return pyarrow


def _read_csv(path: Path, separator: str, text: Iterable[str], missing_text: bool, spelling: Spelling) -> Any:
    from pyarrow import csv as arrow_csv
    from pyarrow import string

    block, threads, text = BLOCK, True, set(text)
    nulls = sorted(nulls_of(".csv") | set(spelling.na) if missing_text else spelling.nulls)
    while True:
        try:
            table = arrow_csv.read_csv(
                path,
                read_options=arrow_csv.ReadOptions(block_size=block, use_threads=threads),
                parse_options=arrow_csv.ParseOptions(delimiter=separator, newlines_in_values=True),
                convert_options=arrow_csv.ConvertOptions(
                    column_types=dict.fromkeys(text, string()), strings_can_be_null=missing_text, null_values=nulls
                ),
            )
        except ValueError as error:  # ArrowInvalid
            if "block" in str(error) and block < 1 << 30:  # a row that spans blocks, as in tables of 100,000 columns
                block *= 16
            elif threads:  # one thread alone says which row is wrong
                threads = False
            else:
                raise
            continue
        written = {  # " id " is asked for as "id"
            field.name for field in table.schema if field.name.strip() in text or spelling.reads(field.type)
        }
        if written <= text:
            return table
        text |= written


def _read_parquet(path: Path) -> Any:
    from pyarrow import parquet

    return parquet.ParquetFile(path).read()


def _read_npz(path: Path) -> Table:
    if not zipfile.is_zipfile(path):
        raise InvalidInput(f"{path.name} is no NPZ file: write it with numpy.savez(path, X=X, y=y).")
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: _unpickled(archive, name, path) for name in archive.files}
    except InvalidInput:
        raise
    except (ValueError, zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise InvalidInput(f"cannot read {path.name}: {str(error).rstrip('.')}.") from None
    X = arrays.pop("X", None)
    if X is None or X.ndim != 2:
        raise InvalidInput(f"{path.name} must hold a matrix 'X' (rows, columns); it holds {_listed(arrays)}.")
    if X.dtype.kind not in "biuf":
        raise InvalidInput(f"'X' in {path.name} has dtype {X.dtype}: it must hold real numbers.")
    names = arrays.pop("feature_names", np.array([f"x{j}" for j in range(X.shape[1])], dtype=str))
    if names.shape != (X.shape[1],) or names.dtype.kind not in "US":
        raise InvalidInput(f"'feature_names' in {path.name} must be {X.shape[1]} strings, one for each column of X.")
    for name, array in arrays.items():
        if array.shape != (len(X),):
            raise InvalidInput(f"{name!r} in {path.name} has shape {array.shape}: give one value per row of X.")
    return Table(
        path.name,
        (*((n.decode() if isinstance(n, bytes) else str(n)).strip() for n in names), *arrays),
        (*X.T, *arrays.values()),
    )


def _unpickled(archive: Any, name: str, path: Path) -> np.ndarray:
    try:
        return archive[name]
    except ValueError as error:
        if "allow_pickle" not in str(error):
            raise
        raise InvalidInput(
            f"{name!r} in {path.name} is an array of Python objects: save numbers with dtype=float and text with dtype=str."
        ) from None


def _missing_or_infinite(values: np.ndarray) -> str:
    missing, infinite = int(np.isnan(values).sum()), int(np.isinf(values).sum())
    counts = {"missing": missing, "infinite": infinite}
    return " and ".join(f"{count} {what} value{_s(count)}" for what, count in counts.items() if count)


def _example(values: np.ndarray) -> Any:
    """A value that shows why the column is not numeric: the first text that is no number, else the first value."""
    present = [v for v in values.tolist() if v is not None and v != ""]
    for value in present:
        if not isinstance(value, str):
            return value
        if not is_number(value) and value.strip() not in MARKERS:
            return value if len(value) <= 30 else value[:27] + "..."
    return present[0] if present else ""


def _looks_like_data(names: Sequence[str]) -> bool:
    try:
        return any(not float(name).is_integer() for name in names)
    except ValueError:
        return False


def _listed(names: Iterable[str], show: Any = repr) -> str:
    names = list(names)
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(show(name) for name in names[:_SHOWN]) + more or "nothing"


def _s(count: int) -> str:
    return "" if count == 1 else "s"
