"""What is missing: counted as by hand, compared as by scipy, tested as Little did, told on paper, page and terminal."""

import re
from collections import Counter
from itertools import combinations

import numpy as np
import pytest
from cli_runs import sentence
from saved import result
from scipy import stats

import jaxnet
from jaxnet import plots
from jaxnet.cli import main
from jaxnet.errors import InvalidInput, on_command_line
from jaxnet.missing.analysis.comparisons import LEAST
from jaxnet.missing.analysis.little import by_pattern, little_test, normal_fit
from jaxnet.missing.analysis.tails import benjamini_hochberg, chi_squared_tails, holm, student_tails
from jaxnet.report import write_missing_report
from jaxnet.report.content import Source, gather
from jaxnet.report.missing import section_of
from jaxnet.report.page import render_page


def with_holes(rng, n: int, p: int, share: float = 0.2) -> np.ndarray:
    X = rng.standard_normal((n, p))
    X[rng.random((n, p)) < share] = np.nan
    return X


@pytest.mark.parametrize(
    "case", ["random", "monotone", "one row", "one column", "complete", "empty column", "all missing"]
)
def test_counts_patterns_and_pairs_are_those_counted_by_hand(case, rng):
    X = with_holes(rng, 60, 5)
    if case == "monotone":
        stop = rng.integers(1, 6, 60)
        X = np.where(np.arange(5) < stop[:, None], 1.0, np.nan)[:, rng.permutation(5)]
    changed = {"one row": X[:1], "one column": X[:, :1], "complete": np.nan_to_num(X)}
    X = changed.get(case, X)
    if case in ("empty column", "all missing"):
        X[:, 2 if case == "empty column" else slice(None)] = np.nan
    M, found = np.isnan(X), jaxnet.missing_patterns(X)
    assert [row["missing"] for row in found.rows()] == M.sum(axis=0).tolist()
    assert found.rows_by_missing.tolist() == [int((M.sum(axis=1) == k).sum()) for k in range(X.shape[1] + 1)]
    assert found.n_complete == (~M.any(axis=1)).sum() and found.share == M.mean() and found.any == M.any()
    expected = Counter(map(tuple, M.tolist()))
    assert {tuple(p): c for p, c in zip(found.patterns.tolist(), found.counts.tolist(), strict=True)} == expected
    assert (np.diff(found.counts) <= 0).all() and found.n_patterns == len(expected)
    sets = [set(np.flatnonzero(column)) for column in M.T]
    assert found.monotone == all(a <= b or b <= a for a, b in combinations(sets, 2))
    both = {(f"x{i}", f"x{j}"): len(sets[i] & sets[j]) for i, j in combinations(range(len(sets)), 2)}
    assert {(r["first"], r["second"]): r["both"] for r in found.pair_rows()} == {k: v for k, v in both.items() if v}
    for row in found.pair_rows():
        i, j = int(row["first"][1:]), int(row["second"][1:])
        assert row["overlap"] == pytest.approx(len(sets[i] & sets[j]) / len(sets[i] | sets[j]))
    assert str(found) and (found.any or "no value is missing" in str(found))


def test_caps_keep_the_most_and_count_the_rest(rng):
    X = with_holes(rng, 80, 6, 0.3)
    whole, capped = jaxnet.missing_patterns(X), jaxnet.missing_patterns(X, max_patterns=3, max_comparisons=2)
    assert capped.n_patterns == whole.n_patterns > 3 and capped.n_comparisons == whole.n_comparisons > 2
    np.testing.assert_array_equal(capped.patterns, whole.patterns[:3])
    assert capped.comparison_rows() == whole.comparison_rows()[:2]
    wide = jaxnet.missing_patterns(with_holes(rng, 12, 230, 0.5), max_comparisons=0)
    assert (
        wide.pairs.shape == (200, 200)
        and wide.n_missing[wide.pair_columns].sum() == np.sort(wide.n_missing)[-200:].sum()
    )


def naive_comparison(x: np.ndarray, gone: np.ndarray):
    """p-value and standardised difference of one column between two sets of rows, with scipy."""
    seen = np.isfinite(x)
    a, b = x[seen & gone], x[seen & ~gone]
    if min(len(a), len(b)) < LEAST or np.ptp(x[seen]) == 0:
        return None
    pooled = np.sqrt((np.sum((a - a.mean()) ** 2) + np.sum((b - b.mean()) ** 2)) / (len(a) + len(b) - 2))
    values = np.unique(x[seen])
    if len(values) > 2:
        return stats.ttest_ind(a, b, equal_var=False).pvalue, (a.mean() - b.mean()) / pooled
    counts = np.array([[np.sum(side == v) for v in values] for side in (a, b)])
    test = stats.chi2_contingency(counts, correction=False)
    return None if test.expected_freq.min() < LEAST else (test.pvalue, (a.mean() - b.mean()) / pooled)


@pytest.mark.parametrize("shift", ["", "tiny", "huge", "offset"])
def test_comparisons_are_scipy_s(shift, rng):
    X = rng.standard_normal((90, 6))
    X[:, 4] = X[:, 4] > 0.3
    X[:, 5] = np.round(X[:, 5])
    holes = rng.random(X.shape) < 0.15
    holes[:, 0] |= X[:, 1] > 0.5
    X[holes] = np.nan
    X[3, 2] = np.inf
    expected = {}
    for j in range(6):
        for k in range(6):
            if j != k and (one := naive_comparison(X[:, k], np.isnan(X[:, j]))):
                expected[f"x{j}", f"x{k}"] = one
    Z = {"": X, "tiny": X * 1e-150, "huge": X * 1e150, "offset": X + 1e6}[shift]
    found = jaxnet.missing_patterns(Z)
    rows = found.comparison_rows()
    assert found.n_comparisons == len(rows) == len(expected)
    rtol = 1e-6 if shift == "offset" else 1e-10
    for row in rows:
        p, difference = expected[row["missing"], row["other"]]
        np.testing.assert_allclose([row["p_value"], row["difference"]], [p, difference], rtol=rtol)
        j, k = int(row["missing"][1:]), int(row["other"][1:])
        seen = np.isfinite(Z[:, k])
        assert row["n_missing"] == (seen & np.isnan(Z[:, j])).sum() and row["level"] == ""
        np.testing.assert_allclose(row["mean_missing"], Z[seen & np.isnan(Z[:, j]), k].mean(), rtol=1e-9)
        np.testing.assert_allclose(row["mean_observed"], Z[seen & ~np.isnan(Z[:, j]), k].mean(), rtol=1e-9)
    p = np.array([row["p_value"] for row in rows])
    assert (np.diff(p) >= 0).all() and (rows[0]["missing"], rows[0]["other"]) == ("x0", "x1")
    np.testing.assert_allclose([row["bh"] for row in rows], stats.false_discovery_control(p))
    adjusted = [min(1.0, max((len(p) - i) * p[i] for i in range(j + 1))) for j in range(len(p))]
    np.testing.assert_allclose([row["holm"] for row in rows], adjusted)


def test_a_constant_side_is_not_taken_for_certainty(rng):
    """Five rows that all hold the most frequent count say little, though their variance is zero."""
    x = np.r_[np.zeros(5), rng.poisson(0.5, 95)].astype(float)
    gone = np.arange(100) < 5
    X = np.column_stack([np.where(gone, np.nan, 1.0), x])
    (row,) = jaxnet.missing_patterns(X).comparison_rows()
    t = (x[gone].mean() - x[~gone].mean()) / (x.std(ddof=1) * np.sqrt(1 / 5 + 1 / 95))
    assert row["p_value"] == pytest.approx(2 * stats.t.sf(abs(t), 98)) and row["p_value"] > 0.05
    X[:, 1] = np.where(np.arange(100) < 50, 1.0, 2.0)
    X[:, 0] = np.where(X[:, 1] == 1, np.nan, 0.0)
    (row,) = jaxnet.missing_patterns(X).comparison_rows()
    assert row["difference"] == -np.inf and row["p_value"] == pytest.approx(stats.chi2.sf(100, 1))


def table(n: int = 240) -> dict[str, list]:
    rng = np.random.default_rng(3)
    site = rng.choice(["Leeds", "York", "Hull"], n)
    dose = [None if site[i] == "York" and rng.random() < 0.7 else float(rng.normal()) for i in range(n)]
    return {
        "site": [None if i % 11 == 0 else str(s) for i, s in enumerate(site)],
        "dose": dose,
        "smoker": [None if i % 7 == 0 else bool(rng.random() < 0.5) for i in range(n)],
        "label": [f"row {i}" for i in range(n)],
    }


@pytest.mark.parametrize(
    "library", ["pandas", "pandas categories", "polars", "polars categories", "pyarrow", "objects"]
)
def test_frames_of_text_are_read_alike(library):
    columns = table()
    import pandas as pd
    import polars as pl
    import pyarrow as pa

    arrow = pa.table(columns)
    coded = arrow.set_column(0, "site", arrow["site"].dictionary_encode())
    frames = {"pandas": pd.DataFrame(columns), "polars": pl.DataFrame(columns), "pyarrow": coded}
    frames["pandas categories"] = frames["pandas"].astype({"site": "category", "smoker": "boolean"})
    frames["polars categories"] = frames["polars"].with_columns(pl.col("site").cast(pl.Categorical))
    frames["objects"] = np.array(list(columns.values()), dtype=object).T
    found = jaxnet.missing_patterns(frames[library])
    assert [r["missing"] for r in found.rows()] == [sum(v is None for v in column) for column in columns.values()]
    assert library == "objects" or found.names == tuple(columns)
    place = list(columns).index
    rows = {(int(m), int(o), level): i for i, (m, o, level) in enumerate(zip(*found.comparisons[:3], strict=True))}
    gone = np.array([v is None for v in columns["dose"]])
    for level in ("Leeds", "York", "Hull"):
        share = np.array([np.nan if v is None else float(v == level) for v in columns["site"]])
        at = rows[place("dose"), place("site"), level]
        p, difference = naive_comparison(share, gone)
        assert found.comparisons.p_value[at] == pytest.approx(p)
        assert found.comparisons.difference[at] == pytest.approx(difference)
    assert found.comparisons.level[0] == "York" and not any(other == place("label") for _, other, _ in rows)
    assert any("another text in every row" in hint for hint in found.hints)


def test_dates_are_numbers_and_missing_where_they_are_not():
    import pandas as pd

    when = pd.to_datetime(["2020-01-01", None, "2021-06-01"] * 40)
    found = jaxnet.missing_patterns(pd.DataFrame({"when": when, "x": [1.0, np.nan, 2.0, np.nan, 3.0, 4.0] * 20}))
    assert found.n_missing.tolist() == [40, 40]
    (row,) = [row for row in found.comparison_rows() if row["other"] == "when"]
    days = [int(np.datetime64(day, "D").astype(int)) for day in ("2020-01-01", "2021-06-01")]
    assert row["mean_missing"] == days[0] and row["mean_observed"] == pytest.approx((20 * days[0] + 40 * days[1]) / 60)


def test_tails_are_scipy_s(rng):
    df, t = rng.uniform(1, 300, 5000), rng.uniform(0, 30, 5000)
    np.testing.assert_allclose(student_tails(t**2, df), 2 * stats.t.sf(t, df), rtol=1e-9, atol=1e-300)
    df, x = rng.integers(1, 4000, 300).astype(float), rng.uniform(0, 5000, 300)
    np.testing.assert_allclose(chi_squared_tails(x, df), stats.chi2.sf(x, df), rtol=1e-8, atol=1e-250)
    assert student_tails(np.empty(0), np.empty(0)).shape == (0,)
    assert holm(np.array([0.01, 0.02]), 3).tolist() == [0.03, 0.04]
    assert benjamini_hochberg(np.array([0.01, 0.02, 0.9])).tolist() == pytest.approx([0.03, 0.03, 0.9])


def naive_em(X: np.ndarray, steps: int = 3000) -> tuple[np.ndarray, np.ndarray]:
    """Mean and covariance of a normal distribution from incomplete rows, row by row."""
    n, p = X.shape
    mean, covariance = np.nanmean(X, axis=0), np.diag(np.nanvar(X, axis=0))
    for _ in range(steps):
        filled, extra = X.copy(), np.zeros((p, p))
        for i in range(n):
            m, o = np.isnan(X[i]), ~np.isnan(X[i])
            B = covariance[np.ix_(m, o)] @ np.linalg.inv(covariance[np.ix_(o, o)])
            filled[i, m] = mean[m] + B @ (X[i, o] - mean[o])
            extra[np.ix_(m, m)] += covariance[np.ix_(m, m)] - B @ covariance[np.ix_(o, m)]
        new = filled.mean(axis=0)
        update = ((filled - new).T @ (filled - new) + extra) / n
        done = max(np.abs(new - mean).max(), np.abs(update - covariance).max()) < 1e-11
        mean, covariance = new, update
        if done:
            return mean, covariance
    raise AssertionError("EM did not end")


def test_little_s_test_is_the_naive_one(rng):
    X = rng.standard_normal((50, 3)) @ rng.standard_normal((3, 3)) * [1, 100, 0.01] + [0, 1e4, 5]
    X[rng.random(X.shape) < 0.2] = np.nan
    X[7] = np.nan
    test, reason = little_test(X)
    rows = X[~np.isnan(X).all(axis=1)]
    scale, centre = np.nanstd(rows, axis=0), np.nanmean(rows, axis=0)
    Z = (rows - centre) / scale
    mean, covariance = naive_em(Z)
    S, d2, df = covariance * len(Z) / (len(Z) - 1), 0.0, -3
    for pattern in {tuple(row) for row in np.isnan(Z)}:
        same = Z[(np.isnan(Z) == pattern).all(axis=1)]
        o = ~np.array(pattern)
        away = same[:, o].mean(axis=0) - mean[o]
        d2 += len(same) * away @ np.linalg.inv(S[np.ix_(o, o)]) @ away
        df += o.sum()
    assert reason == "" and test.df == df and test.n_rows == len(rows) and test.n_columns == 3
    assert test.statistic == pytest.approx(d2, rel=1e-6)
    assert test.p_value == pytest.approx(stats.chi2.sf(d2, df), rel=1e-6)
    seen, group = np.unique(~np.isnan(Z), axis=0, return_inverse=True)
    found = normal_fit(by_pattern(Z, seen, group.ravel()))
    np.testing.assert_allclose(found[0], mean, atol=1e-7)
    np.testing.assert_allclose(found[1], covariance, atol=1e-7)


def little_p_values(kind: str, count: int, rng) -> np.ndarray:
    found = np.empty(count)
    for i in range(count):
        X = rng.standard_normal((150, 3)) @ np.array([[1, 0.6, 0], [0, 1, 0.6], [0, 0, 1]])
        gone = rng.random((150, 2)) < (0.2 if kind == "completely at random" else 0.4 * (X[:, :1] > 0))
        X[:, 1:][gone] = np.nan
        found[i] = little_test(X)[0].p_value
    return found


def test_little_s_test_rejects_at_its_level_and_where_it_should(rng):
    level = (little_p_values("completely at random", 200, rng) < 0.05).mean()
    assert 0.01 <= level <= 0.10  # 0.05 within three standard errors
    assert (little_p_values("at random", 40, rng) < 0.05).mean() > 0.9


REASONS = {
    "complete": (lambda X: np.nan_to_num(X), "missing"),
    "one column": (lambda X: X[:, :1], "only one"),
    "few rows": (lambda X: X[:12], "fewer than 5 per column"),
    "many columns": (lambda X: np.tile(X, 20), "more than 50"),
    "same pattern": (lambda X: np.where(np.arange(len(X))[:, None] < 3, np.nan, np.nan_to_num(X)), "No value"),
    "a linear column": (lambda X: np.column_stack([X, X[:, 0] + X[:, 1]]), "nearly linear"),
    "infinite": (lambda X: np.where(np.arange(X.size).reshape(X.shape) == 5, np.inf, X), "infinite"),
    "never together": (
        lambda X: np.column_stack([np.where(np.arange(len(X)) % 2, np.nan, X[:, 0]),
                                   np.where(np.arange(len(X)) % 2, X[:, 1], np.nan)]), "observed in 0 rows"),
    "nothing varies": (lambda X: np.where(np.isnan(X), X, 2.0), "varies"),
}  # fmt: skip


@pytest.mark.parametrize("name", REASONS)
def test_where_little_s_test_does_not_apply_a_sentence_says_why(name, rng):
    change, pattern = REASONS[name]
    test, reason = little_test(change(with_holes(rng, 60, 3)))
    assert test is None and re.search(pattern, reason) and reason.endswith(".")


SENTINELS = {
    "-999 among ages": ([20, 45, 80, 33, -999, -999], [-999]),
    "two codes": ([20, 45, 80, 33, -888, -888, -999, -999], [-999, -888]),
    "9 among yes and no": ([0, 1, 0, 1, 9, 9], [9]),
    "-9 among counts to 90": ([0, 7, 90, 33, -9, -9], [-9]),
    "-9 among temperatures": ([-20, 15, 30, 3, -9, -9], []),
    "9999 among reals": ([0.5, 1.25, 2.5, 9999, 9999], [9999]),
    "a far integer": ([0.5, 1.25, 2.5, 50, 50], [50]),
    "once only": ([20, 45, 80, 33, -999], []),
    "near": ([20, 45, 80, 99, 99], []),
    "a scale of nine": ([1, 2, 3, 4, 5, 6, 7, 8, 9] * 3, []),
    "two values": ([0, 1, 1, 0], []),
    "not an integer": ([1.0, 2.0, 3.0, -99.5, -99.5], []),
}


@pytest.mark.parametrize("name", SENTINELS)
def test_numbers_that_stand_for_missing_values_are_suspected(name):
    values, expected = SENTINELS[name]
    found = jaxnet.missing_patterns(np.array(values, float)[:, None])
    assert [s.value for s in found.sentinels] == expected
    for one in found.sentinels:
        assert one.count == values.count(one.value)
        assert any(f"holds {one.value:g} in {one.count} rows" in hint and "NaN" in hint for hint in found.hints)


def test_hints_name_columns_and_remedies():
    n = np.nan
    X = np.array([[n, 1.0, 2.0, 5.0], [n, n, 2.0, np.inf], [n, 3.0, n, 6.0], [n, 4.5, 2.0, -np.inf]])
    infinite, empty, constant, complete = jaxnet.missing_patterns(X).hints
    assert "'x3' has 2 infinite values" in infinite and "error" in infinite
    assert "'x0' has no value" in empty and "'x2' has one value" in constant and "No row is complete" in complete
    words = np.array([["a", "N/A"], ["b", "u"], ["a", ""]], dtype=object)
    assert [h.split(" in ")[0] for h in jaxnet.missing_patterns(words).hints] == [
        "Column 'x1' holds the text ''",
        "Column 'x1' holds the text 'N/A'",
    ]


WRONG = {
    "a vector": ({"X": np.ones(3)}, "Expected 2D array"),
    "no rows": ({"X": np.ones((0, 3))}, "0 sample"),
    "complex": ({"X": np.ones((3, 3)) * 1j}, "Complex"),
    "patterns": ({"X": np.ones((3, 3)), "max_patterns": 0}, "max_patterns=0"),
    "comparisons": ({"X": np.ones((3, 3)), "max_comparisons": 1.5}, "max_comparisons=1.5"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_arguments_are_named(name):
    options, pattern = WRONG[name]
    with pytest.raises(InvalidInput, match=pattern):
        jaxnet.missing_patterns(**options)


def test_the_picture_shows_patterns_counts_and_shares(rng):
    X = with_holes(rng, 200, 4, 0.1)
    X[:, 2] = 1.0
    found = jaxnet.missing_patterns(X)
    from matplotlib.figure import Figure

    ax = plots.missing_patterns(found, top=5, ax=Figure().subplots())
    tiles = ax.collections[0].get_array().reshape(5, 3)
    np.testing.assert_array_equal(tiles.astype(bool), found.patterns[:5][:, [0, 1, 3]])
    above, aside = ax.patches[:3], ax.patches[3:]
    heights = np.array([-bar.get_height() for bar in above])
    np.testing.assert_allclose(heights / heights.max(), found.n_missing[[0, 1, 3]] / found.n_missing.max())
    widths = np.array([bar.get_width() for bar in aside])
    np.testing.assert_allclose(widths / widths.max(), found.counts[:5] / found.counts[0])
    assert [text.get_text() for text in ax.texts[:5]] == [str(c) for c in found.counts[:5]]
    with pytest.raises(InvalidInput, match="No value is missing"):
        plots.missing_patterns(jaxnet.missing_patterns(np.ones((3, 2))))
    with pytest.raises(InvalidInput, match="top=0"):
        plots.missing_patterns(found, top=0)


HOSTILE = "<script>alert('x')</script>"


def test_the_page_has_the_tables_and_names_are_text(rng, tmp_path):
    import pandas as pd

    X = with_holes(rng, 100, 4)
    X[X[:, 1] > 0.5, 0] = np.nan
    found = jaxnet.missing_patterns(pd.DataFrame(X, columns=[HOSTILE, "b", "c", "d"]))
    write_missing_report(found, tmp_path / "page.html", title="Holes & gaps")
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert HOSTILE not in text and "&lt;script&gt;alert" in text and "Holes &amp; gaps" in text
    assert text.count("<script>") == 1 and text.count("data:image/png") == 1 and "http-equiv" in text
    assert text.count("<h3>") == 4 and f">{found.n_missing[1]}</td>" in text and "MCAR test" in text
    write_missing_report(jaxnet.missing_patterns(np.ones((3, 2))), tmp_path / "none.html")
    none = (tmp_path / "none.html").read_text(encoding="utf-8")
    assert "no value is missing" in none and "<img" not in none
    with pytest.raises(InvalidInput, match="title="):
        write_missing_report(found, tmp_path / "a.html", title="")


def test_a_sweep_s_page_has_the_section_where_values_are_missing(rng):
    X = rng.standard_normal((60, 4))
    tell = lambda what: None
    how = {"rule": "min", "percent": 5.0, "simplest": None, "chosen": {}, "response": None, "sd": None}
    source = Source.of(result(), None, None, None, **how, tell=tell)
    assert section_of(X) is None
    assert "Missing values" not in render_page(gather(source, "A sweep", [], section_of(X), tell))
    X = with_holes(rng, 60, 4)
    page = render_page(gather(source, "A sweep", [], section_of(X), tell))
    assert (
        page.index("The model of each rule") < page.index("<h2>Missing values</h2>") < page.index("<h2>Pictures</h2>")
    )


@pytest.fixture
def holes(tmp_path):
    """A table of 80 rows whose dose is missing where age is high, with text, labels and a suspicious number."""
    rng = np.random.default_rng(5)
    lines = ["id,site,age,dose,bmi,y"]
    for i in range(80):
        age, site = rng.integers(20, 80), ("", "Leeds", "NA", "York")[rng.integers(4)]
        dose = "" if age > 55 else f"{rng.normal():.3f}"
        lines.append(
            f"{i:03d},{site},{age},{dose},{-99 if i % 9 == 0 else rng.uniform(20, 30):g},{'' if i == 5 else i}"
        )
    (tmp_path / "holes.csv").write_text("\n".join(lines) + "\n")
    return tmp_path / "holes.csv"


def test_command_prints_the_summary_and_writes_what_was_asked(holes, capsys):
    page, picture, folder = holes.parent / "m.html", holes.parent / "m.png", holes.parent / "tables"
    asked = [str(holes), "--id", "id", "--target", "y"]
    assert main(["missing", *asked, "--out", str(page), "--plot", str(picture)]) == 0
    out, err = capsys.readouterr()
    import pandas as pd

    with on_command_line():  # of its options, not of methods, is the advice
        found = jaxnet.missing_patterns(pd.read_csv(holes).drop(columns="id"))
        assert out == f"holes.csv: {found}\n" and "--na -99" in out
    assert found.names == ("site", "age", "dose", "bmi", "y")
    assert found.comparison_rows()[0]["other"] == "age" and "holds -99 in 9 rows" in out
    assert "the target 'y' is missing in 1 rows" in err and f"wrote {page}" in err and f"wrote {picture}" in err
    assert picture.read_bytes().startswith(b"\x89PNG") and "Missing values of holes.csv" in page.read_text()
    assert main(["missing", *asked[:3], "--drop", "y", "bmi", "--out", str(folder), "--quiet"]) == 0
    assert capsys.readouterr().err == ""
    files = {path.name: path.read_text().splitlines() for path in folder.iterdir()}
    assert sorted(files) == ["columns.csv", "comparisons.csv", "pairs.csv", "patterns.csv"]
    assert [line.split(",")[0] for line in files["columns.csv"]] == ["column", "site", "age", "dose"]
    assert sum(int(line.split(",")[0]) for line in files["patterns.csv"][1:]) == 80
    assert main(["missing", str(holes), "--out", str(folder)]) == 1 and "--overwrite" in sentence(capsys)
    assert main(["missing", str(holes), "--out", str(folder), "--overwrite", "--quiet"]) == 0
    assert main(["missing", str(holes), "--plot", str(picture), "--overwrite", "--quiet"]) == 0


def test_command_says_plainly_that_nothing_is_missing(capsys, tmp_path):
    assert main(["missing", "--example", "diabetes", "--plot", str(tmp_path / "a.png")]) == 0
    out, err = capsys.readouterr()
    assert out == "the diabetes data: 442 rows x 11 columns: no value is missing.\n" and "no pattern to draw" in err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("options", "pattern"),
    [
        (["--drop", "dosis"], "--drop 'dosis' is no column.*'dose'"),
        (["--target", "y", "--id", "y"], "left out as well"),
        (["--plot", "a.gif"], r"\.png, \.svg or \.pdf"),
        (["--out", "."], "the folder you are in|no jaxnet tables"),
        (["--drop", "id", "site", "age", "dose", "bmi", "y"], "no columns left"),
    ],
)
def test_command_refuses_with_a_sentence(options, pattern, holes, capsys, monkeypatch):
    monkeypatch.chdir(holes.parent)
    assert main(["missing", "holes.csv", *options]) == 1
    assert re.search(pattern, sentence(capsys)) and [path.name for path in holes.parent.iterdir()] == ["holes.csv"]
