"""Files with columns of labels are encoded as frames are, batch by batch too; encodings are saved."""

import numpy as np
import pyarrow.parquet
import pytest
from category_frames import FRAMES, NAMES, SITE, columns

import jaxnet
from jaxnet.data.batches import Stream, read_stream
from jaxnet.data.categories import Categories, encode
from jaxnet.data.tables import Table, read_table
from jaxnet.errors import InvalidInput


def _csv(frame) -> str:
    cell = {None: "", True: "true", False: "false"}
    lines = [[str(cell.get(v, v) if not isinstance(v, (int, float)) or isinstance(v, bool) else v) for v in row]
             for row in zip(*frame.values(), strict=True)]  # fmt: skip
    return "\n".join(",".join(line) for line in [list(frame), *lines]) + "\n"


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_files_are_encoded_as_frames_are(suffix, tmp_path):
    rows = [i for i in range(len(SITE)) if SITE[i] != ""]
    path = tmp_path / f"t.{suffix}"
    if suffix == "csv":
        path.write_text(_csv(columns(rows)), encoding="utf-8")
    else:
        pyarrow.parquet.write_table(FRAMES["pyarrow dictionary"](rows), path)
    table = read_table(path)
    matrix, encoding = table.encode(NAMES[:3])
    expected, frames = encode(FRAMES["polars"](rows).select(NAMES[:3]))
    assert encoding.names == frames.names and encoding.levels == frames.levels
    np.testing.assert_array_equal(matrix, expected)
    np.testing.assert_array_equal(table.transform(encoding), matrix)
    for stream in (read_stream(path, text=encoding.text), Stream.of(table)):
        parts = [part.transform(encoding) for part in stream.tables(encoding.columns)]
        np.testing.assert_array_equal(np.concatenate(parts), matrix)


def test_empty_cells_of_csv_are_missing_and_labels_stay_as_written(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("s,y\n008,1\nNA,2\n,3\nx,4\n", encoding="utf-8")
    matrix, encoding = read_table(path).encode(["s"])
    assert encoding.names == ("s=008", "s=x", "s=(missing)")
    np.testing.assert_array_equal(matrix, [[1, 0, 0], [0, 0, 1], [0, 0, 1], [0, 1, 0]])
    path.write_text("s,y\n008,1\n,2\n", encoding="utf-8")
    (part,) = read_stream(path, text=encoding.text).tables(["s"])
    np.testing.assert_array_equal(part.transform(encoding), [[1, 0, 0], [0, 0, 1]])
    path.write_text("day,v\n2024-01-01,inf\n2024-01-02,1\n", encoding="utf-8")
    with pytest.raises(InvalidInput, match=r"t.csv has 1 column of neither .*'day' \(dates\)"):
        read_table(path).encode(["day"])
    with pytest.raises(InvalidInput, match=r"t.csv contains infinity .*'v' \(1\)"):
        read_table(path).encode(["v"])
    with pytest.raises(InvalidInput, match=r"'s' is no column of t.csv"):
        read_table(path).transform(encoding)


def test_columns_of_numpy_are_encoded_in_tables():
    columns = (np.array([1.0, np.nan]), np.array(["u", "v"]), np.array([True, False]), np.array([3, 4]))
    matrix, encoding = Table("t", ("n", "s", "f", "k"), columns).encode(["k", "f", "s", "n"])
    assert encoding.names == ("k", "f=True", "s=u", "s=v", "n")
    np.testing.assert_array_equal(matrix, [[3, 1, 1, 0, 1], [4, 0, 0, 1, np.nan]])


@pytest.mark.parametrize("kind", FRAMES)
def test_saved_encodings_give_the_same_columns(kind, tmp_path):
    frame = FRAMES[kind](range(len(SITE)))
    matrix, encoding = encode(frame, Categories({"size": "mid", "flag": True}, missing="mode"))
    jaxnet.save(encoding, tmp_path / "encoding.jaxnet")
    back = jaxnet.load(tmp_path / "encoding.jaxnet")
    assert (back.names, back.levels, back.categories) == (encoding.names, encoding.levels, encoding.categories)
    np.testing.assert_array_equal(back.transform(frame), matrix)
