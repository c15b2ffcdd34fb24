"""The command line speaks of its own options, and says what was done where it prints what came out."""

import re
import shlex

import numpy as np
import pandas as pd
import pytest
from cli_places import USUAL, N, make_place
from cli_runs import SMALL, instead

import jaxnet
from jaxnet.cli import main


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return make_place(tmp_path_factory.mktemp("place"))


CLASSES = [name for name in jaxnet.__all__ if name[0].isupper()]
ARGUMENTS = "tol|cv|rho|alphas|relax|adaptive|missing|store|run|metric|rule|q|cutoff|top|device|dtype"
SCORED = "max_iter|n_pairs|false_selections|alpha_min_ratio|sample_weight|column_limit|max_levels|criteria"
PYTHON = re.compile(rf"\w\(\)|jaxnet\.[a-zA-Z]\w*|\b({'|'.join(CLASSES)})\b|\b({ARGUMENTS})=|\b({SCORED})\b")
FAILURES = """
sweep W --alphas 0
sweep W --rho 2
sweep W --tol 0
sweep W --max-iter 0
sweep W --cv 1
sweep W --cv 100
sweep W --alpha-min-ratio 3
sweep W --device warp
sweep W --adaptive -1
sweep W --relax 2
sweep W --rho 0 --relax 0.5
sweep W --alphas -1 2
sweep W --weights a
sweep W --reference s=q
sweep W --reference a=1
sweep W --reference b=1
sweep W --max-levels 0
sweep W --max-levels 2
sweep W --categories zz
sweep W --store W
sweep W --store none/x.db
sweep W --store STORE --run ''
sweep W --store STORE --run first
sweep W --store STORE --run new --resume
sweep HOLES
sweep HOLES --missing nonsense
sweep HOLES --missing mean --column-limit 2
sweep HOLES --missing constant --fill-value inf
sweep HOLES --missing multiple --relax 0.5
sweep HOLES --missing multiple --adaptive 1
sweep HOLES --missing multiple --rule bic
sweep HOLES --missing pairwise --relax 0.5
sweep HOLES --missing pairwise --metric mae
sweep HOLES --missing complete --cv 15
sweep MIXED
sweep LABELS
sweep CLASH
sweep INFINITE
sweep CONSTANT --metric r2
sweep SPELLED
sweep W --max-iter 1
sweep WIDE --rule bic --rho 1 --alphas 20 --alpha-min-ratio 1e-7
stability W --q 1 --cutoff 0.8 --false-selections 2
stability W --q 3000 --cutoff 0.8
stability W --pairs 0
stability W --rho 0
stability W --cutoff 0.4 --q 2
stability W --false-selections 1e-9
stability HOLES
predict RUN MIXED
predict RUN HOLES
predict RUN UNSEEN
predict RUN none.csv
predict W W
predict STORE W
predict RUN W --rule bic
report RUN CONSTANT --out r.html
report STORE
report RUN HOLES --out r.html
plot RUN cv --rho 0.3 --out p.png
plot RUN path --top -1 --out p.png
plot RUN rho --alpha -1 --out p.png
plot RUN criteria CONSTANT --out p.png
plot RUN residuals HOLES --out p.png
plot RUN residuals --out p.png
runs W
runs STORE --delete x
show STORE x
compare RUN STORE
compare RUN W
export STORE --out e.npz
export W --out e.npz
inspect W
missing W --drop zz
missing SENTINEL
""".strip().splitlines()


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("words")
    rng = np.random.default_rng(1)
    a, b, e = rng.normal(size=(3, N))
    W = pd.DataFrame({"a": a, "b": b, "s": [["u", "v", "x"][i % 3] for i in range(N)], "y": a - b + e / 3})
    tables = {
        "W": W,
        "HOLES": W.assign(a=[np.nan] * 12 + a[12:].tolist()),
        "MIXED": W.assign(a=["?", *map(str, a[1:])]),
        "LABELS": pd.concat([W] * 5).assign(s=[f"r{i}" for i in range(5 * N)]),
        "CLASH": W.rename(columns={"a": "s=u"}),
        "INFINITE": W.assign(a=[np.inf, *a[1:]]),
        "CONSTANT": W.assign(y=1.0),
        "UNSEEN": W.assign(s="new"),
        "SENTINEL": pd.concat([W] * 5).assign(
            a=[-999.0] * 30 + a.tolist() * 4, s=["u"] * 140 + ["missing"] * 10, z=list(range(150))
        ),
        "WIDE": pd.concat([W, pd.DataFrame(rng.normal(size=(N, 60))).add_prefix("g")], axis=1),
    }
    places = {name: str(folder / f"{name.lower()}.csv") for name in tables}
    for name, table in tables.items():
        table.to_csv(places[name], index=False)
    W.assign(a=W["a"].astype(str)).to_parquet(folder / "spelled.parquet")
    places |= {"SPELLED": str(folder / "spelled.parquet"), "RUN": str(folder / "run"), "STORE": str(folder / "runs.db")}
    argv = ["sweep", places["W"], "--target", "y", *SMALL, "--quiet"]
    assert main([*argv, "--out", places["RUN"]]) == 0
    assert main([*argv, "--store", places["STORE"], "--run", "first", "--tol", "1e-6"]) == 0
    return places


@pytest.mark.parametrize("line", FAILURES)
def test_the_command_line_speaks_of_its_own_options(line, files, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    argv = shlex.split(line)
    usual = {"sweep": ["--target", "y", *SMALL], "stability": ["--target", "y"]}.get(argv[0], [])
    words = [files.get(word, word) for word in argv]
    code = main([*words[:2], *instead(words[2:], *usual)])
    said = capsys.readouterr()
    spoken = said.err if argv[0] != "missing" else said.out + said.err
    for path in files.values():
        spoken = spoken.replace(path, "FILE")
    found = PYTHON.search(re.sub(r"model\.jaxnet|no jaxnet \w+|a jaxnet file", "", spoken))
    warned = "warning: " in spoken and code == 0  # where a fit stands is told in letters: rho=1, alpha=0.1
    assert spoken and (found is None or (warned and found[0].endswith("="))), (found, spoken)
    assert code == 1 or warned or argv[0] == "missing" or argv[1] == "UNSEEN" or "HOLES" in argv, spoken


def test_means_and_shares_are_said_where_they_are_printed(place, tmp_path, capsys):
    plain = str(place / "plain.csv")
    for metric, part in (
        ("mse", "by the mean of its training rows"),
        ("r2", "of its own held-out rows"),
        ("mae", None),
    ):
        assert main(["sweep", plain, *USUAL, "--metric", metric, "--quiet"]) == 0
        printed = capsys.readouterr().out
        assert ("Variance explained: " in printed) == (part is not None) and (part or "") in printed
        assert "Columns were standardised for the fit" in printed
    assert main(["sweep", plain, *USUAL, "--no-standardize", "--quiet"]) == 0
    assert "Columns were not standardised (--no-standardize)" in capsys.readouterr().out
    for flags, said in (
        ([], "standardised for the fits"),
        (["--no-standardize"], "not standardised (--no-standardize)"),
    ):
        assert (
            main(
                ["stability", plain, "--target", "y", "--pairs", "2", "--q", "1", "--cutoff", "0.8", "--quiet", *flags]
            )
            == 0
        )
        assert f"Columns were {said}" in capsys.readouterr().out
    assert main(["show", str(place / "runs.db"), "first"]) == 0
    assert "columns standardised for the fit" in capsys.readouterr().out


def test_results_say_whether_columns_were_standardised():
    X, y = np.random.default_rng(0).normal(size=(20, 3)), np.arange(20.0)
    for standardize, said in (
        (True, "columns standardised for the fit"),
        (False, "columns as given, not standardised"),
    ):
        for result in (
            jaxnet.sweep(X, y, alphas=3, cv=3, standardize=standardize),
            jaxnet.fit_path(X, y, alphas=3, standardize=standardize),
        ):
            assert said in repr(result)


def test_means_that_are_zero_are_printed_as_zero(tmp_path, capsys):
    rng = np.random.default_rng(2)
    half = rng.normal(size=100) * 100 + 7
    x = np.stack([half, -half], axis=1).ravel()  # pairs that cancel, exactly
    gone = np.arange(200) % 8 < 4
    table = pd.DataFrame({"x": x, "z": np.where(gone, np.nan, 1.0 + np.arange(200) % 3), "y": x})
    table.to_csv(tmp_path / "t.csv", index=False)
    found = jaxnet.missing_patterns(table[["x", "z"]])
    row = next(row for row in found.comparison_rows() if row["other"] == "x")
    assert row["mean_missing"] == row["mean_observed"] == 0.0
    result = jaxnet.sweep(table[["x"]], x, alphas=3, cv=3)
    assert result.explain(table[["x"]]).mean.tolist() == [0.0]
    weights = np.repeat(rng.uniform(0.1, 1, 100), 2)
    weighted = jaxnet.sweep(table[["x"]], x, alphas=3, cv=3, sample_weight=weights)
    assert weighted.explain(table[["x"]], sample_weight=weights).mean.tolist() == [0.0]
    assert (
        main(["sweep", str(tmp_path / "t.csv"), "--target", "y", "--drop", "z", "--alphas", "1000000.0", "--quiet"])
        == 0
    )
    assert "the prediction is 0 for every row" in capsys.readouterr().out
