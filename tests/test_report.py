"""The report: one file that needs nothing else, says what the result holds, and takes names for text."""

import re
from html.parser import HTMLParser

import numpy as np
import pytest
from cli_runs import sentence

import jaxnet
from jaxnet.cli import main
from jaxnet.errors import InvalidInput

HOSTILE = '<script>alert("x")</script>'


class Page(HTMLParser):
    """Tags with their attributes, the text, and the cells of each table row."""

    def __init__(self, text: str):
        super().__init__()
        self.tags, self.words, self.rows, self._cell = [], [], [], None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
            self._cell = True

    def handle_endtag(self, tag):
        if tag in ("td", "th"):
            self._cell = None

    def handle_data(self, data):
        self.words.append(data)
        if self._cell:
            self.rows[-1][-1] += data.strip()

    def named(self, tag):
        return [attrs for name, attrs in self.tags if name == tag]


@pytest.fixture(scope="module")
def swept():
    data = jaxnet.load_diabetes()
    names = [HOSTILE, *data.feature_names[1:]]
    import pandas as pd

    frame = pd.DataFrame(data.X, columns=names)
    return frame, data.y, jaxnet.sweep(frame, data.y, rho=[0.5, 1.0], alphas=20, standardize=True)


@pytest.fixture(scope="module")
def page(swept, tmp_path_factory):
    X, y, result = swept
    path = tmp_path_factory.mktemp("report") / "page.html"
    result.to_html(path, X=X, y=y, title=f"A & {HOSTILE}")
    return Page(path.read_text(encoding="utf-8"))


def test_page_is_one_file_that_fetches_nothing(page):
    sources = [attrs["src"] for attrs in page.named("img")]
    assert len(sources) == 7 and all(source.startswith("data:image/png;base64,") for source in sources)
    assert not page.named("link") and not page.named("iframe")
    assert all(not value.startswith(("http", "//")) for _, attrs in page.tags for value in attrs.values() if value)
    policy = next(attrs["content"] for attrs in page.named("meta") if attrs.get("http-equiv"))
    assert "default-src 'none'" in policy and "unsafe" not in policy
    assert any(attrs.get("name") == "viewport" for attrs in page.named("meta"))
    assert all(attrs.get("alt") for attrs in page.named("img"))


def test_names_are_text(page):
    assert len(page.named("script")) == 1
    assert any(HOSTILE in word for word in page.words)  # escaped on the page, so text to the parser
    assert any(row and row[1] == HOSTILE for row in page.rows if len(row) > 1)


def test_page_says_what_the_result_holds(page, swept):
    X, y, result = swept
    cells = {row[0]: row for row in page.rows if row}
    for rule, mark in (("min *", "min"), ("1se", "1se"), ("percent", "percent")):
        best = result.best(mark, criteria=result.criteria(X, y))
        assert cells[rule][2:4] == [f"{best.rho:.4g}", f"{best.alpha:.5g}"] and cells[rule][5] == str(best.nonzeros)
    kept = result.best(criteria=result.criteria(X, y))
    table = {row[1]: row for row in page.rows if len(row) == 4 and row[0].isdigit()}
    assert len(table) == kept.nonzeros
    for name, b, sd in zip(X.columns, kept.coef, X.to_numpy().std(axis=0), strict=True):
        if b:
            assert float(table[name][2]) == pytest.approx(b, rel=1e-5) and float(table[name][3]) == pytest.approx(
                b * sd, rel=1e-5
            )
    order = [float(row[3]) for row in table.values()]
    assert order == sorted(order, key=abs, reverse=True)
    assert cells["fits"][1] == str(result.gap.size) and "every fit certified" in cells["verdict"][1]


def test_page_without_data_folds_or_several_rho(swept, tmp_path):
    _, y, result = swept
    result.to_html(tmp_path / "a.html")
    assert len(Page((tmp_path / "a.html").read_text()).named("img")) == 4
    X = np.random.default_rng(0).standard_normal((30, 5))
    jaxnet.fit_path(X, y[:30], rho=1.0, alphas=5).to_html(tmp_path / "b.html", rule="bic", X=X, y=y[:30])
    assert "no folds" in (tmp_path / "b.html").read_text()
    many = jaxnet.sweep(X, np.stack([y[:30], X[:, 0]], axis=1), alphas=5, cv=3)
    many.to_html(tmp_path / "c.html", X=X, y=np.stack([y[:30], X[:, 0]], axis=1), response=1)
    constant = jaxnet.sweep(X, np.ones(30), alphas=5, cv=3)
    constant.to_html(tmp_path / "d.html", X=X, y=np.ones(30))


WRONG = {
    "half the data": ({"X": np.ones((3, 10))}, "y is missing"),
    "another rule": ({"rule": "best"}, "rule='best'"),
    "a rule without data": ({"rule": "bic"}, "criteria"),
    "a response": ({"response": 1}, "response=1"),
    "a title": ({"title": ""}, "title=''"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_arguments_are_named_and_nothing_is_written(name, swept, tmp_path):
    options, pattern = WRONG[name]
    with pytest.raises(InvalidInput, match=pattern):
        swept[2].to_html(tmp_path / "page.html", **options)
    assert not list(tmp_path.iterdir())


def test_without_jinja_a_sentence_says_what_to_install(swept, tmp_path, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(InvalidInput, match=r"jaxnet-elasticnet\[report\]"):
        swept[2].to_html(tmp_path / "page.html")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "run"
    small = ["--rho", "0.5", "1", "--alphas", "12", "--rule", "bic", "--quiet"]
    assert main(["sweep", "--example", "diabetes", *small, "--out", str(folder)]) == 0
    return folder


def test_cli_rule_of_a_criterion_is_kept(run):
    model = jaxnet.load(run / "model.jaxnet")
    X, y = jaxnet.load_diabetes(return_X_y=True)
    best = model["result"].best("bic", criteria=model["result"].criteria(X, y))
    assert model["rule"] == "bic" and tuple(model["chosen"]["bic"]) == best.index


def test_cli_report_is_written_beside_the_run(run, capsys):
    assert main(["report", str(run)]) == 0
    assert "jaxnet: 4 pictures ..." in capsys.readouterr().err.splitlines()
    text = (run / "report.html").read_text()
    page = Page(text)
    assert len(page.named("img")) == 4 and any("diabetes" in word for word in page.words)
    assert [row[0] for row in page.rows if row and row[0].endswith("*")] == ["bic *"]  # what the run chose
    assert main(["report", str(run)]) == 1 and "--overwrite" in capsys.readouterr().err
    assert main(["report", str(run), "--example", "diabetes", "--overwrite"]) == 0
    fits = jaxnet.load(run / "model.jaxnet")["result"].alphas.size
    said = capsys.readouterr().err.splitlines()
    assert said[:2] == [f"jaxnet: the degrees of freedom of {fits} fits ...", "jaxnet: 7 pictures ..."]
    page = Page((run / "report.html").read_text())
    assert len(page.named("img")) == 7 and [row[0] for row in page.rows if row and row[0].endswith("*")] == ["bic *"]


@pytest.mark.parametrize("kind", ["path", "rho", "cv", "map", "coefficients", "criteria", "residuals", "predicted"])
def test_cli_plot_draws_every_kind(kind, run, tmp_path):
    out = tmp_path / "picture.png"
    data = ["--example", "diabetes"] if kind in ("criteria", "residuals", "predicted") else []
    assert main(["plot", str(run), kind, *data, "--out", str(out), "--quiet"]) == 0
    assert out.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("options", "pattern"),
    [
        (["cv"], "--out is missing"),
        (["cv", "--out", "cv.gif"], r"\.png, \.svg or \.pdf"),
        (["residuals", "--out", "r.png"], "needs the table"),
        (["cv", "--rho", "0.3", "--out", "cv.png"], "--rho 0.3 was not swept"),
    ],
)
def test_cli_plot_refuses_with_a_sentence(options, pattern, run, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["plot", str(run), *options]) == 1
    assert re.search(pattern, sentence(capsys)) and not list(tmp_path.iterdir())


def test_cli_stability_prints_and_writes_frequencies(tmp_path, capsys):
    out, picture = tmp_path / "f.csv", tmp_path / "s.png"
    options = ["--pairs", "5", "--q", "3", "--cutoff", "0.8", "--bound", "worst-case"]
    files = ["--out", str(out), "--plot", str(picture), "--quiet"]
    assert main(["stability", "--example", "diabetes", *options, *files]) == 0
    data = jaxnet.load_diabetes()
    found = jaxnet.stability_selection(data.X, data.y, n_pairs=5, q=3, cutoff=0.8, bound="worst-case")
    rows = [line.split(",") for line in out.read_text().splitlines()]
    expected = [[data.feature_names[r["column"]], r["frequency"], r["selected"]] for r in found.rows()]
    assert rows[0] == ["name", "frequency", "selected"]
    assert [[name, float(f), bool(int(s))] for name, f, s in rows[1:]] == expected
    said = capsys.readouterr().out
    assert repr(found) in said and all(name in said for name, _, chosen in expected if chosen)
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert main(["stability", "--example", "diabetes", "--cutoff", "0.3", "--quiet"]) == 1
    assert "--cutoff 0.3" in sentence(capsys)


NOTIONS = ("df", "nonzeros", "alpha")


@pytest.fixture(scope="module")
def disagreeing():
    """A table and a sweep of which the rule 1se chooses three fits, by its three notions of the simplest."""
    rng = np.random.default_rng(4)
    X = rng.normal(size=(60, 12)) + rng.normal(size=(60, 1))
    y = X[:, :4].sum(axis=1) + 4 * rng.normal(size=60)
    folds = jaxnet.KFold(5, shuffle=True, seed=0)
    result = jaxnet.sweep(X, y, rho=[0.05, 0.3, 1.0], alphas=30, cv=folds, standardize=True)
    criteria = result.criteria(X, y)
    fits = {name: result.best("1se", criteria=criteria, simplest=name) for name in NOTIONS}
    assert len({fit.index for fit in fits.values()}) == 3
    return X, y, fits


@pytest.fixture(scope="module")
def table(disagreeing, tmp_path_factory):
    X, y, _ = disagreeing
    path = tmp_path_factory.mktemp("tables") / "table.csv"
    lines = [",".join([*(f"x{j}" for j in range(12)), "y"])]
    path.write_text("\n".join(lines + [",".join(map(repr, row)) for row in np.column_stack([X, y]).tolist()]) + "\n")
    return path


@pytest.fixture(scope="module", params=[*NOTIONS, None])
def kept(request, table, tmp_path_factory):
    """A run of each notion; of the default, from before runs said theirs."""
    folder = tmp_path_factory.mktemp("kept") / "run"
    by = [] if request.param is None else ["--simplest", request.param]
    grid = ["--rho", "0.05", "0.3", "1", "--alphas", "30", "--shuffle", "--rule", "1se"]
    assert main(["sweep", str(table), "--target", "y", *grid, *by, "--out", str(folder), "--quiet"]) == 0
    if request.param is None:
        model = jaxnet.load(folder / "model.jaxnet")
        jaxnet.save({k: v for k, v in model.items() if k not in ("simplest", "percent")}, folder / "model.jaxnet")
    return folder, request.param or "nonzeros"


def everything_shown(text, drawn):
    """What a page says of the fit it keeps, place by place: (rho, alpha) as texts, and the number of nonzeros."""
    page = Page(text)
    (row,) = [row for row in page.rows if row and row[0].endswith("*")]
    heading = next(row for row in page.rows if row and row[0] == "rule")
    words = " ".join(" ".join(page.words).split())
    said = re.search(r"The model that (\S+) chose: rho (\S+), alpha (\S+);.*?(\d+) of \d+ coefficients", words)
    shown = {"table": (row[2], row[3]), "sentence": said.group(2, 3)}
    for attrs in page.named("img"):
        for place in re.findall(r"1se \(rho (\S+), alpha (\S+)\)", attrs["alt"]):
            shown[attrs["alt"].split(":")[0]] = place
    for number, ax in enumerate(drawn):
        marks = [line for line in ax.lines if line.get_label().startswith("1se")]
        shown |= {f"drawing {number}": (None, f"{line.get_xdata()[0]:.5g}") for line in marks}
    counts = {int(row[heading.index("nonzeros")]), int(said[4]), len([r for r in page.rows if r and r[0].isdigit()])}
    return shown, counts, row, heading, words


@pytest.mark.parametrize("data", [False, True], ids=["without the table", "with the table"])
@pytest.mark.parametrize("asked", [None, *NOTIONS])
def test_a_page_shows_one_choice_everywhere(asked, data, kept, table, disagreeing, tmp_path, monkeypatch, capsys):
    """The run's, or that of another simplicity that was asked for: table, sentence, captions, drawings, coefficients."""
    from matplotlib.figure import Figure

    from jaxnet.report import content

    drawn, (folder, own), out = [], kept, tmp_path / "page.html"

    def render(draw, **size):
        drawn.append(Figure().subplots())
        draw(drawn[-1])
        return b""

    monkeypatch.setattr(content, "render", render)
    options = [*([str(table)] if data else []), *([] if asked is None else ["--simplest", asked])]
    code = main(["report", str(folder), *options, "--out", str(out), "--quiet"])
    if asked == "df" != own and not data:
        assert code == 1 and "--simplest df needs the table of the run" in sentence(capsys)
        return
    assert code == 0
    by = asked or own
    model = jaxnet.load(folder / "model.jaxnet")
    X, y, _ = disagreeing
    best = model["result"].best("1se", criteria=model["result"].criteria(X, y), simplest=by)
    shown, counts, row, heading, words = everything_shown(out.read_text(), drawn)
    at = f"{best.rho:.4g}", f"{best.alpha:.5g}"
    assert {place[1] for place in shown.values()} == {at[1]} and {place[0] for place in shown.values()} <= {at[0], None}
    assert {
        "table",
        "sentence",
        "Cross-validation",
        "The grid",
        "Coefficient path",
        "Largest coefficients",
    } <= shown.keys()
    assert sum(name.startswith("drawing") for name in shown) >= 3 and counts == {best.nonzeros}
    what = {"df": "fewest degrees of freedom", "nonzeros": "fewest nonzeros", "alpha": "largest alpha"}[by]
    assert what in row[1] and f"Simplest is the {what}" in words
    assert ("degrees of freedom" in heading) == data
    if data:
        df = model["result"].criteria(X, y).df[best.index]
        assert float(row[heading.index("degrees of freedom")]) == pytest.approx(df, rel=1e-3)


@pytest.mark.parametrize("by", NOTIONS)
def test_a_page_of_a_result_goes_by_one_simplicity(by, disagreeing, tmp_path):
    X, y, fits = disagreeing
    folds = jaxnet.KFold(5, shuffle=True, seed=0)
    result = jaxnet.sweep(X, y, rho=[0.05, 0.3, 1.0], alphas=30, cv=folds, standardize=True, fold_average="rows")
    result.to_html(tmp_path / "page.html", X=X, y=y, rule="1se", simplest=by)
    shown, counts, _, _, words = everything_shown((tmp_path / "page.html").read_text(), [])
    assert set(shown.values()) == {(f"{fits[by].rho:.4g}", f"{fits[by].alpha:.5g}")} and counts == {fits[by].nonzeros}
    assert "by the weight of its rows" in words and "held-out error (MSE)" in words


def test_cli_says_what_was_simplest_and_predicts_by_another(kept, table, tmp_path, capsys):
    folder, own = kept
    model, out = jaxnet.load(folder / "model.jaxnet"), tmp_path / "p.csv"
    X = np.loadtxt(table, delimiter=",", skiprows=1)[:, :-1]
    for asked in (None, "nonzeros", "alpha"):
        options = [] if asked is None else ["--simplest", asked, "--overwrite"]
        assert main(["predict", str(folder), str(table), *options, "--out", str(out), "--quiet"]) == 0
        best = model["result"].fit_at(*model["chosen"]["1se"]) if asked in (None, own) else None
        best = best or model["result"].best("1se", simplest=asked)
        predicted = np.loadtxt(out, skiprows=1)
        np.testing.assert_allclose(predicted, X @ best.coef + best.intercept, rtol=1e-9)
    capsys.readouterr()
    assert main(["compare", str(folder), str(folder)]) == 0
    what = {"df": "fewest degrees of freedom", "nonzeros": "fewest nonzeros", "alpha": "largest alpha"}[own]
    said = capsys.readouterr().out
    chosen = model["result"].fit_at(*model["chosen"]["1se"])
    assert f"1se ({what})" in said and f"{chosen.alpha:.5g}" in said
    import json

    summary = json.loads((folder / "summary.json").read_text())
    assert summary["request"]["simplest"] == summary["rules"]["1se"]["simplest"] == own
    assert "simplest" not in summary["rules"]["min"] and summary["request"]["fold_average"] == "folds"


@pytest.mark.parametrize(
    ("kind", "asked"), [("cv", None), ("cv", "alpha"), ("map", None), ("path", "nonzeros"), ("rho", None)]
)
def test_cli_plots_mark_the_choice_of_the_run(kind, asked, kept, tmp_path):
    folder, _ = kept
    by = [] if asked is None else ["--simplest", asked]
    out = tmp_path / "plot.png"
    assert main(["plot", str(folder), kind, *by, "--out", str(out), "--quiet"]) == 0 and out.exists()
