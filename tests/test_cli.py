"""The command line writes what the library computes, reads every format, predicts by name and speaks to people."""

import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from cli_runs import (
    FEATURES,
    SMALL,
    N,
    P,
    data_columns,
    instead,
    make_data,
    read_rows,
    sentence,
    sweep,
    write_csv,
)

import jaxnet
from jaxnet.cli import main
from jaxnet.data.fingerprint import fingerprint
from jaxnet.execution.compilation import VARIABLE, compile_loops_whole, enable_compile_cache
from jaxnet.progress import Progress


@pytest.fixture
def data(tmp_path) -> Path:
    return write_csv(tmp_path / "data.csv", data_columns())


@pytest.fixture
def run(data, tmp_path) -> Path:
    assert sweep(data, "--out", tmp_path / "run", "--quiet") == 0
    return tmp_path / "run"


def library_result(**options):
    X, y, _ = make_data()
    return jaxnet.sweep(X, y, rho=[0.5, 1.0], alphas=6, **{"cv": 3, "standardize": True, **options})


def test_cli_writes_what_the_library_computes(run):
    expected = library_result()
    best = expected.best()
    coefficients = read_rows(run / "coefficients.csv")
    assert [row["feature"] for row in coefficients] == ["(intercept)", *FEATURES]
    written = [float(row["coefficient"]) for row in coefficients]
    np.testing.assert_allclose(written, [best.intercept, *best.coef], rtol=1e-9, atol=1e-12)
    X, _, _ = make_data()
    per_sd = [float(row["per_sd"]) for row in coefficients[1:]]
    np.testing.assert_allclose(per_sd, best.coef * X.std(axis=0), rtol=1e-9, atol=1e-12)

    cv = read_rows(run / "cv.csv")
    assert list(cv[0]) == ["alpha", "rho", "mean", "se", "nonzeros", "gap", "status"]
    columns = {name: np.array([float(row[name]) for row in cv]).reshape(2, 6) for name in list(cv[0])[:-1]}
    np.testing.assert_allclose(columns["alpha"], expected.alphas, rtol=1e-12)
    np.testing.assert_allclose(columns["rho"], np.repeat([[0.5], [1.0]], 6, axis=1))
    np.testing.assert_allclose(columns["mean"], expected.error_mean, rtol=1e-9)
    np.testing.assert_allclose(columns["se"], expected.error_se, rtol=1e-9)
    np.testing.assert_array_equal(columns["nonzeros"], expected.nonzeros)
    assert columns["gap"].max() <= 1e-4 and {row["status"] for row in cv} == {"converged"}

    summary = json.loads((run / "summary.json").read_text())
    assert summary["selected"]["alpha"] == pytest.approx(best.alpha)
    assert summary["selected"]["cv_error"] == pytest.approx(best.cv_error)
    assert summary["certificate"]["fits"] == 2 * 6 * 4
    assert summary["data"] == {"source": "data.csv", "rows": N, "features": P, "target": "response"}
    told = jaxnet.read_metadata(run / "model.jaxnet")
    assert told["configuration"] == summary["request"]
    X, y, _ = make_data()
    assert told["data"] == {**summary["data"], "fingerprint": fingerprint(X=X, y=y)}


def test_cli_model_holds_the_whole_result_with_names(run):
    result = jaxnet.load(run / "model.jaxnet")["result"]
    assert isinstance(result, jaxnet.SweepResult) and result.feature_names == tuple(FEATURES)
    expected = library_result()
    for name in ("alphas", "errors", "gap", "status", "intercepts"):
        np.testing.assert_allclose(getattr(result, name), getattr(expected, name), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(result.coefs.toarray(), expected.coefs.toarray(), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", ["d.csv.gz", "d.tsv", "d.tsv.gz", "d.parquet", "d.npz"])
def test_cli_gives_the_same_model_from_every_format(name, run, tmp_path):
    columns, path = data_columns(), tmp_path / name
    if name.endswith(".parquet"):
        import pyarrow as pa
        import pyarrow.parquet as pq

        pq.write_table(pa.table(columns), path)
    elif name.endswith(".npz"):
        X, y, w = make_data()
        np.savez(path, X=X, feature_names=FEATURES, cell=columns["cell"], weight=w, response=y)
    else:
        write_csv(path, columns)
    assert sweep(path, "--out", tmp_path / "other", "--quiet") == 0
    assert (tmp_path / "other" / "cv.csv").read_bytes() == (run / "cv.csv").read_bytes()
    assert (tmp_path / "other" / "coefficients.csv").read_bytes() == (run / "coefficients.csv").read_bytes()


def test_cli_predicts_by_name_with_labels(run, tmp_path, capsys):
    columns = data_columns()
    shuffled = {name: columns[name] for name in [*reversed(FEATURES), "cell"]} | {"note": ["x"] * N}
    new = write_csv(tmp_path / "new.csv", shuffled)
    assert main(["predict", str(run), str(new), "--out", str(tmp_path / "p.csv")]) == 0
    rows = read_rows(tmp_path / "p.csv")
    assert [row["cell"] for row in rows] == columns["cell"]
    X, _, _ = make_data()
    predicted = [float(row["prediction"]) for row in rows]
    np.testing.assert_allclose(predicted, library_result().predict(X), rtol=1e-9)
    messages = capsys.readouterr().err
    assert "ignored 1 column unknown to the model, such as 'note'" in messages and "wrote 40 predictions" in messages


def test_cli_prediction_rule_can_differ_from_the_runs(run, data, capsys):
    assert main(["predict", str(run), str(data), "--rule", "1se", "--quiet"]) == 0
    header, *rows = capsys.readouterr().out.splitlines()
    assert header == "cell,prediction"
    X, _, _ = make_data()
    predicted = [float(row.split(",")[1]) for row in rows]
    np.testing.assert_allclose(predicted, library_result().predict(X, rule="1se"), rtol=1e-9)


def test_cli_predict_needs_only_columns_with_a_coefficient(run, tmp_path, capsys):
    coefficients = {row["feature"]: float(row["coefficient"]) for row in read_rows(run / "coefficients.csv")[1:]}
    columns = data_columns()
    needed = {name: columns[name] for name, b in coefficients.items() if b}
    assert main(["predict", str(run), str(write_csv(tmp_path / "some.csv", needed))]) == 0
    captured = capsys.readouterr()
    assert captured.out.splitlines()[0] == "prediction" and "has no column 'cell'" in captured.err
    gone = next(iter(needed))
    del needed[gone]
    assert main(["predict", str(run), str(write_csv(tmp_path / "less.csv", needed))]) == 1
    assert f"less.csv lacks 1 column that the model needs: '{gone}'" in sentence(capsys)


def test_cli_predict_scores_rows_whose_target_is_known(run, data, tmp_path, capsys):
    assert main(["predict", str(run), str(data)]) == 0
    X, y, _ = make_data()
    error = np.mean((y - library_result().predict(X)) ** 2)
    share = 1 - error / np.var(y)
    assert f"mean squared error {error:.6g}, {share:.1%} of its variance explained." in capsys.readouterr().err
    one = write_csv(tmp_path / "one.csv", {name: values[:1] for name, values in data_columns().items()})
    assert main(["predict", str(run), str(one)]) == 0
    assert re.search(r"mean squared error [\d.e-]+\.\n", capsys.readouterr().err)


def test_cli_coefficients_are_on_the_original_scale(run, tmp_path):
    columns = data_columns()
    columns[FEATURES[0]] = [1000 * value for value in columns[FEATURES[0]]]
    other = write_csv(tmp_path / "scaled.csv", columns)
    assert sweep(other, "--out", tmp_path / "scaled", "--quiet") == 0
    before, after = (read_rows(folder / "coefficients.csv") for folder in (run, tmp_path / "scaled"))
    assert float(after[1]["coefficient"]) == pytest.approx(float(before[1]["coefficient"]) / 1000, rel=1e-6)
    assert float(after[1]["per_sd"]) == pytest.approx(float(before[1]["per_sd"]), rel=1e-6)


@pytest.mark.parametrize(
    ("flags", "options"),
    [
        (["--no-standardize"], {"standardize": False}),
        (["--seed", "5"], {"cv": jaxnet.KFold(3, shuffle=True, seed=5)}),
        (["--shuffle"], {"cv": jaxnet.KFold(3, shuffle=True, seed=0)}),
        (["--tol", "1e-8"], {"tol": 1e-8}),
        (["--alphas", "3,2", "1", "0.5"], {"alphas": [3, 2, 1, 0.5]}),
        (["--alphas", "1."], {"alphas": [1.0]}),
        (["--alpha-min-ratio", "0.1"], {"alpha_min_ratio": 0.1}),
        (["--weights", "weight"], {"sample_weight": make_data()[2]}),
        (["--dtype", "float32", "--device", "cpu"], {"dtype": "float32"}),
    ],
)
def test_cli_options_reach_the_sweep(flags, options, data, tmp_path):
    drop = [] if "--weights" in flags else ["--drop", "weight"]
    common = ["sweep", str(data), "--target", "response", "--id", "cell", "--out", str(tmp_path / "run"), "--quiet"]
    assert main([*common, *drop, *instead(flags, *SMALL)]) == 0
    X, y, _ = make_data()
    arguments = {"rho": [0.5, 1.0], "alphas": 6, "cv": 3, "standardize": True, **options}
    expected = jaxnet.sweep(X, y, **arguments)
    mean = [float(row["mean"]) for row in read_rows(tmp_path / "run" / "cv.csv")]
    np.testing.assert_allclose(mean, expected.error_mean.ravel(), rtol=1e-7)


def test_cli_summary_is_for_people(capsys):
    assert main(["sweep", "--example", "diabetes", "--alphas", "20", "--rule", "1se"]) == 0
    captured = capsys.readouterr()
    for part in (
        "442 rows, 10 features, target 'progression'",
        "standardised for the fit; coefficients are on their original scale",
        "4 rho x 20 alphas x (full data + 5 folds, contiguous rows)",
        "1se (simplest within 1 se) *",
        "Largest coefficients",
        "(intercept)",
        "worst relative duality gap",
        "480 converged",
        "Nothing was written",
    ):
        assert part in captured.out
    explained = float(re.search(r"variance explained +([\d.]+)%", captured.out).group(1))
    assert 45 < explained < 55
    assert re.search(r"480 of 480 fits \(100%\), [\d,]+ fits/s", captured.err)


def test_cli_keeps_the_model_of_its_rule(data, tmp_path, capsys):
    run = tmp_path / "run"
    assert sweep(data, "--rule", "percent", "--percent", "30", "--out", run, "--quiet") == 0
    assert "percent (simplest within 30%) *" in capsys.readouterr().out
    best = library_result().best("percent", percent=30)
    coefficients = [float(row["coefficient"]) for row in read_rows(run / "coefficients.csv")]
    np.testing.assert_allclose(coefficients, [best.intercept, *best.coef], rtol=1e-9)
    assert main(["predict", str(run), str(data), "--quiet"]) == 0
    predicted = [float(row.split(",")[1]) for row in capsys.readouterr().out.splitlines()[1:]]
    np.testing.assert_allclose(predicted, make_data()[0] @ best.coef + best.intercept, rtol=1e-9)


def test_cli_quiet_leaves_only_the_result(data, tmp_path, capsys):
    assert sweep(data, "--out", tmp_path / "run", "--quiet") == 0
    captured = capsys.readouterr()
    assert captured.err == "" and "Written to" in captured.out


def test_cli_all_zero_model_is_said_and_predicts_the_mean(data, tmp_path, capsys):
    assert sweep(data, "--alphas", "1e9", "1e8", "--out", tmp_path / "run") == 0
    assert "Every coefficient is zero" in capsys.readouterr().out
    assert main(["predict", str(tmp_path / "run"), str(data), "--quiet"]) == 0
    predicted = {line.split(",")[1] for line in capsys.readouterr().out.splitlines()[1:]}
    assert len(predicted) == 1 and float(predicted.pop()) == pytest.approx(make_data()[1].mean())


def test_cli_unconverged_fits_warn_in_one_line_and_are_marked(data, tmp_path, capsys):
    assert sweep(data, "--tol", "1e-13", "--max-iter", "1", "--quiet", "--out", tmp_path / "run") == 0
    assert sentence(capsys).startswith("jaxnet: warning: ")
    assert "max_iter" in {row["status"] for row in read_rows(tmp_path / "run" / "cv.csv")}


def test_cli_leaves_out_a_nameless_first_column(data, tmp_path, capsys):
    columns = {"": list(range(N)), **data_columns()}
    assert sweep(write_csv(tmp_path / "index.csv", columns)) == 0
    captured = capsys.readouterr()
    assert "12 features" in captured.out and "column without a name" in captured.err


def test_cli_warns_of_contiguous_folds_on_sorted_rows(tmp_path, capsys):
    columns = data_columns()
    order = np.argsort(columns["response"])
    columns = {name: [values[i] for i in order] for name, values in columns.items()}
    path = write_csv(tmp_path / "sorted.csv", columns)
    assert sweep(path) == 0
    assert "sorted by 'response'" in capsys.readouterr().err
    assert sweep(path, "--shuffle") == 0
    assert "sorted by" not in capsys.readouterr().err


def test_cli_help_answers_at_once_and_predict_needs_no_jax(run, data):
    """At once: neither NumPy nor JAX is imported for it."""
    code = (
        "import contextlib, sys; from jaxnet.cli import main\n"
        "with contextlib.suppress(SystemExit): main(['sweep', '--help'])\n"
        "assert not {'numpy', 'jax'} & set(sys.modules)\n"
        f"main(['predict', {str(run)!r}, {str(data)!r}]); print({{'jax', 'sklearn'}} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "--target" in done.stdout and done.stdout.splitlines()[-1] == "set()"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_draws_a_bar_on_a_terminal_and_lines_elsewhere(monkeypatch):
    screen, log = Terminal(), io.StringIO()
    with Progress(screen) as bar, Progress(log) as lines:
        for done in range(0, 1001, 100):
            bar(done, 1000)
            lines(done, 1000)
    assert "1000/1000" in screen.getvalue() and "fits/s" in screen.getvalue() and screen.getvalue().endswith("\n")
    assert re.fullmatch(r"1,000 of 1,000 fits \(100%\), [\d,]+ fits/s\n", log.getvalue())

    clock = iter([0.0, 30.0, 36.0, 37.0, 42.0])  # half a minute of compilation first
    monkeypatch.setattr("time.monotonic", lambda: next(clock))
    slow = io.StringIO()
    progress = Progress(slow)
    for done in (10, 70, 80, 130):
        progress(done, 7200)
    assert slow.getvalue().splitlines() == [
        "10 of 7,200 fits (0%)",
        "70 of 7,200 fits (1%), 10 fits/s, about 11 min 53 s left",
        "130 of 7,200 fits (2%), 10 fits/s, about 11 min 47 s left",
    ]


def test_compile_cache_is_the_users_to_choose(tmp_path, monkeypatch):
    ours = "JAX_COMPILATION_CACHE_DIR"

    def chosen(**environment) -> str | None:
        with monkeypatch.context() as patch:
            patch.delitem(sys.modules, "jax", raising=False)
            patch.setattr(os, "environ", {"XDG_CACHE_HOME": str(tmp_path), **environment})
            enable_compile_cache()
            return os.environ.get(ours)

    assert chosen() == str(tmp_path / "jaxnet")
    assert chosen(**{VARIABLE: str(tmp_path / "mine")}) == str(tmp_path / "mine")
    assert chosen(**{VARIABLE: "off"}) is None and chosen(**{VARIABLE: ""}) is None
    assert chosen(**{ours: "/elsewhere"}) == "/elsewhere"
    (tmp_path / "file").write_text("")
    assert chosen(**{VARIABLE: str(tmp_path / "file" / "x")}) is None


def test_library_offers_the_compile_cache(tmp_path):
    """A process that was given a folder fills it, and the next one takes the slow programs from it; a bad folder is named."""
    code = (
        "import sys, jaxnet, jax; jaxnet.enable_compile_cache(sys.argv[1]); "
        "X, y = jaxnet.load_diabetes(return_X_y=True); jaxnet.sweep(X, y, rho=[0.5], alphas=5)"
    )
    filled = []
    for _ in range(2):
        subprocess.run([sys.executable, "-c", code, str(tmp_path / "cache")], check=True, timeout=300)
        filled.append({p.name for p in (tmp_path / "cache").glob("jit__inner*-cache")})
    assert filled[0] and filled[0] == filled[1]
    (tmp_path / "file").write_text("")
    with pytest.raises(jaxnet.InvalidInput, match="cannot be made"):
        jaxnet.enable_compile_cache(tmp_path / "file" / "x")


@pytest.mark.parametrize(
    ("version", "flags", "expected"),
    [
        ((0, 10, 2), "", ["--xla_backend_extra_options=xla_cpu_small_while_loop_byte_threshold=1048576"]),
        ((0, 10, 2), "--a=1", ["--a=1", "--xla_backend_extra_options=xla_cpu_small_while_loop_byte_threshold=1048576"]),
        ((0, 10, 2), "--xla_backend_extra_options=x=1", ["--xla_backend_extra_options=x=1"]),
        ((0, 12, 0), "", []),
    ],
)
def test_loops_compile_whole_unless_the_user_chose(monkeypatch, version, flags, expected):
    monkeypatch.setattr("jax.__version_info__", version)
    monkeypatch.setenv("XLA_FLAGS", flags)
    compile_loops_whole()
    assert os.environ["XLA_FLAGS"].split() == expected


def test_names_are_those_of_what_carries_them_out():
    """The command line, which must not import that, offers the names."""
    from jaxnet import metrics, names
    from jaxnet.plots.images import FORMATS
    from jaxnet.selection import bounds, criteria, rules

    registries = {
        "RULES": rules.RULES,
        "CRITERIA": criteria.CRITERIA,
        "METRICS": metrics.METRICS,
        "BOUNDS": bounds.BOUNDS,
    }
    for name, registry in registries.items():
        assert set(getattr(names, name)) == set(registry), name
    assert set(names.RULES) >= names.SEEKING and FORMATS == ("png", "svg", "pdf")


def test_cli_kept_model_is_that_of_its_place(run):
    result = jaxnet.load(run / "model.jaxnet")["result"]
    best = result.best("1se")
    again = result.fit_at(*best.index, rule="1se", simplest="nonzeros")
    assert repr(again) == repr(best) and np.array_equal(again.coef, best.coef)
