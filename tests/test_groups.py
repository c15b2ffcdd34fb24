"""Groups of rows through every call: sweeps, nested folds, adaptive weights, halves, estimators, stores, the command line."""

import inspect
import json

import cases
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from cli_runs import FEATURES, SMALL, data_columns, make_data, read_rows, sentence, write_csv
from sklearn import model_selection

import jaxnet
from jaxnet.cli import main

N, P = cases.TALL
DATA = cases.data("tall")
LABELS = cases.groups(N)
FIXED = {"rho": [0.3, 1.0], "alphas": np.geomspace(3.0, 0.03, 5), "tol": 1e-8}


def pairs_of(cv, labels=LABELS, X=DATA.X, y=DATA.y):
    return list(cv.split(X, y, labels))


@pytest.mark.parametrize("cv", [3, jaxnet.GroupKFold(3), model_selection.GroupKFold(3)], ids=repr)
def test_a_sweep_of_groups_is_one_of_their_pairs(cv):
    pairs = pairs_of(model_selection.GroupKFold(3))
    grouped = jaxnet.sweep(DATA.X, DATA.y, cv=cv, groups=LABELS, **FIXED)
    plain = jaxnet.sweep(DATA.X, DATA.y, cv=pairs, **FIXED)
    np.testing.assert_array_equal(grouped.errors, plain.errors)
    np.testing.assert_array_equal(grouped.gap, plain.gap)


def test_rows_of_weight_zero_are_as_if_they_were_not_there():
    w = cases.weights(N)
    kept = w > 0
    there = jaxnet.sweep(DATA.X, DATA.y, cv=3, groups=LABELS, sample_weight=w, **FIXED)
    alone = jaxnet.sweep(DATA.X[kept], DATA.y[kept], cv=3, groups=LABELS[kept], sample_weight=w[kept], **FIXED)
    np.testing.assert_allclose(there.errors, alone.errors, rtol=1e-4)


@pytest.mark.parametrize("library", ["pandas", "polars", "pyarrow"])
def test_a_column_of_the_frame_may_name_the_groups(library):
    """It is no feature then; penalty factors are of the other columns, and new rows need none of it."""
    columns = {f"gene {j}": column for j, column in enumerate(DATA.X.T.copy())}
    text = [f"patient {label}" for label in LABELS]
    columns = {**dict(list(columns.items())[:5]), "patient": text, **dict(list(columns.items())[5:])}
    frame = {"pandas": pd.DataFrame, "polars": pl.DataFrame, "pyarrow": pa.table}[library](columns)
    factor = np.linspace(1, 2, P)
    result = jaxnet.sweep(frame, DATA.y, groups="patient", cv=3, penalty_factor=factor, **cases.GRID)
    expected = jaxnet.sweep(DATA.X, DATA.y, groups=text, cv=3, penalty_factor=factor, **cases.GRID)
    np.testing.assert_array_equal(result.errors, expected.errors)
    assert result.feature_names == tuple(f"gene {j}" for j in range(P))
    np.testing.assert_allclose(result.predict(frame), expected.predict(DATA.X), rtol=1e-12)
    for wrong, pattern in (
        ("patiens", "no column of X; the nearest is 'patient'"),
        ("gene 99", "the nearest is 'gene"),
    ):
        with pytest.raises(jaxnet.InvalidInput, match=pattern):
            jaxnet.sweep(frame, DATA.y, groups=wrong, **cases.GRID)
    if library == "pandas":
        with pytest.raises(jaxnet.InvalidInput, match="nothing is left to fit on"):
            jaxnet.sweep(frame[["patient"]], DATA.y, groups="patient", **cases.GRID)
        nested = jaxnet.nested_sweep(frame, DATA.y, outer=3, inner=2, groups="patient", **FIXED)
        plain = jaxnet.nested_sweep(DATA.X, DATA.y, outer=3, inner=2, groups=text, **FIXED)
        np.testing.assert_array_equal(nested.errors, plain.errors)


@pytest.mark.parametrize("weighted", [False, True])
def test_nested_folds_keep_groups_together_on_both_levels(weighted):
    weight = cases.weights(N) if weighted else None
    part = np.ones(N, bool) if weight is None else weight > 0
    outer, inner = [], []
    for train, test in model_selection.GroupKFold(3).split(DATA.X[part], groups=LABELS[part]):
        rows = np.flatnonzero(part)[train]
        outer.append((rows, np.flatnonzero(part)[test]))
        inner.append(pairs_of(model_selection.GroupKFold(2), LABELS[rows], DATA.X[rows], DATA.y[rows]))
    options = {**FIXED, "sample_weight": weight}
    one = jaxnet.nested_sweep(DATA.X, DATA.y, outer=3, inner=jaxnet.GroupKFold(2), groups=LABELS, **options)
    other = jaxnet.nested_sweep(DATA.X, DATA.y, outer=outer, inner=inner, **options)
    for name in ("errors", "inner_errors", "indices"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def test_inner_folds_may_be_numbers_of_all_rows():
    numbers = np.random.default_rng(3).integers(3, size=N)
    outer = list(model_selection.KFold(2).split(DATA.X))
    inner = [list(model_selection.PredefinedSplit(numbers[train]).split()) for train, _ in outer]
    one = jaxnet.nested_sweep(DATA.X, DATA.y, outer=2, inner=pd.Series(numbers), **FIXED)
    other = jaxnet.nested_sweep(DATA.X, DATA.y, outer=outer, inner=inner, **FIXED)
    np.testing.assert_array_equal(one.errors, other.errors)


READY = {
    "pairs": list(model_selection.KFold(3).split(DATA.X)),
    "as many pairs as outer folds": list(model_selection.KFold(2).split(DATA.X)),
    "a generator": model_selection.KFold(3).split(DATA.X),
    "too few numbers": np.arange(N - 1) % 3,
}


@pytest.mark.parametrize("name", READY)
def test_inner_splits_cannot_be_ready_for_all_outer_folds(name):
    with pytest.raises(
        jaxnet.InvalidInput, match=r"^inner.* (each outer fold trains on other rows: give|give one per row)"
    ):
        jaxnet.nested_sweep(DATA.X, DATA.y, outer=2, inner=READY[name], **FIXED)


class Noting:
    """Folds of whole groups that note which labels they were given."""

    def __init__(self):
        self.seen = []

    def split(self, X, y, groups):
        self.seen.append(groups)
        yield from model_selection.GroupKFold(2).split(X, y, groups)


def test_inner_folds_of_adaptive_weights_keep_groups_together(monkeypatch):
    noting, finer = Noting(), np.arange(N) % 13
    options = {**FIXED, "groups": finer, "cv": 3}
    found = jaxnet.sweep(DATA.X, DATA.y, adaptive=jaxnet.Adaptive(cv=noting), **options)
    trained = [np.arange(N), *(train for train, _ in pairs_of(jaxnet.GroupKFold(3), finer))]
    for labels, rows in zip(noting.seen, trained, strict=True):
        np.testing.assert_array_equal(labels, finer[rows])
    plain = jaxnet.sweep(DATA.X, DATA.y, adaptive=jaxnet.Adaptive(cv=2), **options)
    np.testing.assert_array_equal(found.errors, plain.errors)
    assert fit_path_takes(groups=finer, adaptive=jaxnet.Adaptive())
    assert not fit_path_takes(groups=finer, adaptive=jaxnet.Adaptive(alpha=0.1)) and not fit_path_takes(groups=finer)
    handed = {}
    monkeypatch.setattr("jaxnet.selection.nested.sweep", lambda *data, **options: handed.update(options) or 1 / 0)
    with pytest.raises(ZeroDivisionError):
        jaxnet.nested_sweep(DATA.X, DATA.y, outer=3, inner=2, groups=finer, adaptive=jaxnet.Adaptive())
    np.testing.assert_array_equal(handed["groups"], finer)


def fit_path_takes(**options) -> bool:
    """Whether the request is accepted; it is not carried out."""
    with pytest.raises((jaxnet.InvalidInput, RuntimeError)) as caught:
        jaxnet.fit_path(DATA.X, DATA.y, progress=_stop, **options)
    return "leave groups out" not in str(caught.value)


def _stop(done, total):
    raise RuntimeError("that far")


SELECT = {"n_pairs": 4, "cutoff": 0.75, "q": 4, "bound": "worst-case", "alphas": 12, "tol": 1e-9}


def test_stability_selection_by_groups_draws_groups():
    """Rows that come twice, as groups of two, are the rows that come once."""
    plain = jaxnet.stability_selection(DATA.X, DATA.y, **SELECT)
    alone = jaxnet.stability_selection(DATA.X, DATA.y, groups=np.arange(N), **SELECT)
    np.testing.assert_array_equal(plain.paths, alone.paths)
    twice = np.repeat(np.arange(N), 2)
    names = [f"row {i:02d}" for i in twice]
    pairs = jaxnet.stability_selection(DATA.X[twice], DATA.y[twice], groups=names, **SELECT)
    np.testing.assert_allclose(pairs.frequencies, plain.frequencies)
    np.testing.assert_allclose(pairs.paths, plain.paths)
    frame = pd.DataFrame(DATA.X[twice], columns=[f"g{j}" for j in range(P)]).assign(row=names)
    by_name = jaxnet.stability_selection(frame, DATA.y[twice], groups="row", **SELECT)
    np.testing.assert_array_equal(by_name.paths, pairs.paths)
    options = {name: value for name, value in SELECT.items() if name != "tol"}
    model = jaxnet.StabilitySelection(**options).fit(DATA.X[twice], DATA.y[twice], groups=names)
    np.testing.assert_allclose(model.frequencies_, plain.frequencies)
    with pytest.raises(jaxnet.InvalidInput, match=r"groups has 3; halves of at least 2 need at least 4"):
        jaxnet.stability_selection(DATA.X, DATA.y, groups=np.arange(N) % 3, **SELECT)


@pytest.mark.parametrize("cv", [3, jaxnet.GroupKFold(3), model_selection.GroupKFold(3), "numbers"], ids=repr)
def test_estimators_take_groups(cv):
    ready, numbers = pairs_of(jaxnet.GroupKFold(3)), np.zeros(N, int)
    for k, (_, test) in enumerate(ready):
        numbers[test] = k
    given = numbers if isinstance(cv, str) else cv
    ours = jaxnet.LassoCV(alphas=5, cv=given).fit(DATA.X, DATA.y, groups=LABELS)
    expected = jaxnet.LassoCV(alphas=5, cv=ready).fit(DATA.X, DATA.y)
    np.testing.assert_array_equal(ours.mse_path_, expected.mse_path_)
    np.testing.assert_array_equal(ours.coef_, expected.coef_)


def test_estimators_tell_what_their_splitter_does_not_take():
    for cv in (model_selection.GroupKFold(3), jaxnet.GroupKFold(3)):
        with pytest.raises(
            jaxnet.InvalidInput, match=r"cv=GroupKFold.* could not split 40 rows: .*unexpected.*'sites'"
        ):
            jaxnet.LassoCV(cv=cv).fit(DATA.X, DATA.y, groups=LABELS, sites=LABELS)
    with pytest.raises(jaxnet.InvalidInput, match=r"fit got \['sites'\], which only a splitter object can use"):
        jaxnet.LassoCV(cv=3).fit(DATA.X, DATA.y, groups=LABELS, sites=LABELS)


def test_a_run_of_a_store_is_one_of_its_groups(tmp_path):
    path = tmp_path / "runs.db"
    swept = lambda groups, **more: jaxnet.sweep(
        DATA.X, DATA.y, cv=3, groups=groups, store=path, run="one", **FIXED, **more
    )
    first = swept(LABELS)
    np.testing.assert_array_equal(
        swept([f"patient {label}" for label in LABELS]).errors, first.errors
    )  # the same folds
    with pytest.raises(jaxnet.InvalidInput, match="rows of the folds is"):
        swept(LABELS[::-1])
    with pytest.raises(jaxnet.InvalidInput, match="rows of the folds is"):
        jaxnet.sweep(DATA.X, DATA.y, cv=3, store=path, run="one", **FIXED)


def test_a_run_with_adaptive_weights_is_one_of_its_groups(tmp_path):
    """Inner folds may differ where the outer ones do not."""
    path, thirds = tmp_path / "runs.db", np.arange(N) // 15
    finer = np.arange(N) // 3
    options = {**FIXED, "cv": thirds, "store": path, "run": "one", "adaptive": jaxnet.Adaptive(cv=2)}
    jaxnet.sweep(DATA.X, DATA.y, groups=finer, **options)
    for other in (finer[np.r_[1:15, 0, 15:N]], None):
        with pytest.raises(jaxnet.InvalidInput, match="groups is"):
            jaxnet.sweep(DATA.X, DATA.y, groups=other, **options)


def test_unknown_names_are_told_by_the_function_that_was_called():
    X, y = DATA.X, DATA.y
    for call, name, pattern in (
        (
            jaxnet.fit_path,
            "alphass",
            r"fit_path\(\) got an unexpected keyword argument 'alphass'; the nearest is 'alphas'",
        ),
        (jaxnet.nested_sweep, "outers", r"nested_sweep\(\) .* 'outers'; the nearest is 'outer'"),
        (jaxnet.stability_selection, "pairs", r"stability_selection\(\) .* 'pairs'; the nearest is 'n_pairs'"),
        (jaxnet.stability_selection, "zzz", r"stability_selection\(\) got an unexpected keyword argument 'zzz'\.$"),
        (jaxnet.sweep, "outer", r"sweep\(\) got an unexpected keyword argument 'outer'"),
    ):
        with pytest.raises(TypeError, match=pattern):
            call(X, y, **{name: 10})
    with pytest.raises(TypeError, match=r"StabilitySelection.* 'pairs'"):
        jaxnet.StabilitySelection(pairs=10)


def test_signatures_show_the_options_of_a_sweep():
    sweep = inspect.signature(jaxnet.sweep).parameters
    for function, without in (
        (jaxnet.fit_path, {"cv"}),
        (jaxnet.nested_sweep, {"cv", "keep_fold_coefs"}),
        (jaxnet.stability_selection, {"cv", "keep_fold_coefs", "metric", "fold_average", "relax"}),
    ):
        shown = inspect.signature(function).parameters
        assert sweep.keys() - shown.keys() == without
        others = {name for name in sweep.keys() & shown.keys() if shown[name].default != sweep[name].default}
        assert others == ({"rho", "alphas", "standardize"} if function is jaxnet.stability_selection else set())


def test_complete_rows_of_a_sorted_table_want_shuffling():
    X = DATA.X.copy()
    X[:10, 3] = np.nan
    pattern = (
        r"none of the held-out rows of fold 0\. .*deal them to the folds at random \(jaxnet.KFold\(5, shuffle=True\)\)"
    )
    with pytest.raises(jaxnet.InvalidInput, match=pattern):
        jaxnet.sweep(X, DATA.y, missing="complete", **cases.GRID)
    assert jaxnet.sweep(X, DATA.y, missing="complete", cv=jaxnet.KFold(5, shuffle=True), **cases.GRID).converged
    X[5:, 3] = np.nan
    X[:5, 3] = 0.5
    with pytest.raises(jaxnet.InvalidInput, match=r"none of the training rows of fold 0: each misses .* at random"):
        jaxnet.sweep(X, DATA.y, missing="complete", **cases.GRID)


@pytest.fixture
def table(tmp_path):
    columns = data_columns()
    patients = [f"p{label}" for label in LABELS]
    return write_csv(tmp_path / "data.csv", {**columns, "patient": patients, "fold": (np.arange(N) % 3).tolist()})


ROLES = ["--target", "response", "--id", "cell", "--drop", "weight"]


def swept(table, *options):
    return main(["sweep", str(table), *ROLES, *SMALL[:-2], *options, "--out", str(table.parent / "run")])


@pytest.mark.parametrize("case", ["groups", "shuffled groups", "folds", "groups and folds"])
def test_cli_folds_are_those_of_the_library(case, table, capsys):
    X, y, _ = make_data()
    numbers = np.arange(N) % 3
    if case == "groups and folds":
        table = write_csv(
            table, {**data_columns(), "patient": [f"p{i % 9}" for i in range(N)], "fold": numbers.tolist()}
        )
    options, cv, told = {
        "groups": (["--drop", "fold", "--cv", "3"], 3, "3 folds of whole groups ('patient')"),
        "shuffled groups": (
            ["--drop", "fold", "--cv", "3", "--seed", "2"],
            jaxnet.GroupKFold(3, shuffle=True, seed=2),
            "3 folds of whole groups ('patient'), shuffled (seed 2)",
        ),
        "folds": (["--drop", "patient", "--folds", "fold"], numbers, "3 folds of column 'fold'"),
        "groups and folds": (["--folds", "fold"], numbers, "3 folds of column 'fold'"),
    }[case]
    groups = None if case == "folds" else LABELS if "and" not in case else np.arange(N) % 9
    assert swept(table, *options, *([] if groups is None else ["--groups", "patient"])) == 0
    said = capsys.readouterr().out
    assert f"(full data + {told})" in said
    expected = jaxnet.sweep(X, y, rho=[0.5, 1.0], alphas=6, standardize=True, cv=cv, groups=groups)
    means = [float(row["mean"]) for row in read_rows(table.parent / "run" / "cv.csv")]
    np.testing.assert_allclose(means, expected.error_mean.ravel(), rtol=1e-9)
    assert jaxnet.load(table.parent / "run" / "model.jaxnet")["result"].feature_names == tuple(FEATURES)
    asked = json.loads((table.parent / "run" / "summary.json").read_text())["request"]["cv"]
    assert asked.get("groups") == (None if groups is None else "patient")
    assert asked.get("column") == ("fold" if "--folds" in options else None)


def test_cli_stability_keeps_groups_together(table, capsys):
    out = table.parent / "found.csv"
    drop = ["--drop", "fold", "--groups", "patient", "--pairs", "5", "--q", "3", "--quiet", "--out", str(out)]
    assert main(["stability", str(table), *ROLES, *drop]) == 0
    X, y, _ = make_data()
    expected = jaxnet.stability_selection(X, y, groups=[f"p{label}" for label in LABELS], n_pairs=5, q=3)
    found = {row["name"]: float(row["frequency"]) for row in read_rows(out)}
    np.testing.assert_allclose([found[name] for name in FEATURES], expected.frequencies)


REFUSED = {
    "folds and a number": (["--folds", "fold", "--cv", "3"], 2, "leave out --cv"),
    "folds and a seed": (["--folds", "fold", "--seed", "3"], 2, "leave out --seed"),
    "folds and shuffling": (["--folds", "fold", "--shuffle"], 2, "leave out --shuffle"),
    "text for folds": (["--folds", "patient"], 1, "--folds 'patient' in data.csv is not numeric"),
    "no such column": (
        ["--groups", "patiens"],
        1,
        "--groups 'patiens' is no column of data.csv; the nearest is 'patient'",
    ),
    "a column twice": (["--groups", "fold", "--folds", "fold"], 1, "given to both --groups and --folds"),
    "more folds than groups": (["--groups", "patient", "--cv", "20"], 1, "groups has 8: use at most 8 folds"),
    "groups across folds": (["--groups", "patient", "--folds", "fold"], 1, "on both sides of fold 0"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_cli_refuses_folds_with_a_sentence(case, table, capsys):
    options, code, said = REFUSED[case]
    try:
        found = swept(table, *options, "--quiet")
    except SystemExit as stop:
        found = stop.code
    err = capsys.readouterr().err
    assert found == code and said in err and "Traceback" not in err


def test_cli_offers_groups_where_rows_are_split(table, capsys):
    """And does not take an option that would have no effect."""
    with pytest.raises(SystemExit) as stop:
        main(["missing", str(table), "--groups", "patient"])
    assert stop.value.code == 2 and "--groups" in capsys.readouterr().err


def test_cli_tells_of_groups_without_a_label(table, capsys):
    write_csv(table, {**data_columns(), "patient": ["", *[f"{k}" for k in LABELS[1:]]]})
    assert swept(table, "--groups", "patient", "--quiet") == 1
    assert "--groups 'patient' has 1 missing value, in row 0" in sentence(capsys)


def test_cli_names_its_own_way_to_shuffle(table, capsys):
    columns = data_columns()
    columns["gene 3"] = [""] * 10 + columns["gene 3"][10:]
    write_csv(table, columns)
    assert swept(table, "--missing", "complete", "--quiet") == 1
    assert "deal them to the folds at random (--shuffle)" in sentence(capsys)
    assert swept(table, "--missing", "complete", "--quiet", "--shuffle") == 0
