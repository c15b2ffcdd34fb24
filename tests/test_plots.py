"""Pictures: that they show what the result holds, on axes of the caller's or their own, and stay readable for many columns."""

import matplotlib

matplotlib.use("Agg")
from io import BytesIO

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot
from matplotlib.figure import Figure

import jaxnet
from jaxnet import plots
from jaxnet.errors import InvalidInput
from jaxnet.plots.images import FORMATS, render
from jaxnet.plots.style import plain, spread


@pytest.fixture(scope="module")
def data():
    return jaxnet.load_diabetes()


@pytest.fixture(scope="module")
def result(data, tmp_path_factory):
    """Saved and loaded: that draws as well as a fresh one."""
    path = tmp_path_factory.mktemp("plots") / "result.jaxnet"
    jaxnet.save(jaxnet.sweep(data.X, data.y, rho=[0.2, 0.6, 1.0], alphas=25, standardize=True), path)
    return jaxnet.load(path)


@pytest.fixture(scope="module")
def found(data):
    return jaxnet.stability_selection(data.X, data.y, n_pairs=6, q=3, cutoff=0.8, bound="worst-case", alphas=15)


@pytest.fixture(autouse=True)
def close():
    pyplot.close("all")  # what the examples of docstrings drew
    yield
    pyplot.close("all")


def missing(X) -> jaxnet.MissingPatterns:
    return jaxnet.missing_patterns(np.where(np.arange(X.size).reshape(X.shape) % 7 == 0, np.nan, X), max_comparisons=5)


def drawings(result, data, found) -> dict:
    criteria = result.criteria(data.X, data.y)
    best = result.best()
    return {
        "path": lambda **o: plots.coefficient_path(result, **o),
        "path of one rho": lambda **o: plots.coefficient_path(result, rho=0.6, sd=data.X.std(axis=0), **o),
        "rho": lambda **o: plots.rho_path(result, **o),
        "cv": lambda **o: plots.cv_curve(result, **o),
        "map": lambda **o: plots.cv_map(result, **o),
        "stability": lambda **o: plots.stability_paths(found, **o),
        "criteria": lambda **o: plots.criteria_curves(criteria, **o),
        "coefficients": lambda **o: plots.coefficients(best, feature_names=data.feature_names, **o),
        "residuals": lambda **o: plots.residuals(data.y, result.predict(data.X), **o),
        "missing": lambda **o: plots.missing_patterns(missing(data.X), **o),
        "predicted": lambda **o: plots.predicted_against_observed(data.y, result.predict(data.X), **o),
    }


NAMES = [
    "path",
    "path of one rho",
    "rho",
    "cv",
    "map",
    "stability",
    "criteria",
    "coefficients",
    "residuals",
    "missing",
    "predicted",
]


@pytest.mark.parametrize("name", NAMES)
def test_every_plot_draws_on_given_axes_and_on_its_own(name, result, data, found):
    draw = drawings(result, data, found)[name]
    ax = Figure().subplots()
    assert draw(ax=ax) is ax and (ax.lines or ax.collections or ax.patches)
    assert ax.get_xlabel() and (ax.get_ylabel() or name == "coefficients") and ax.get_title()
    assert not pyplot.get_fignums()  # a figure of the caller's needs no window
    own = draw()
    assert own.figure.number in pyplot.get_fignums()
    own.figure.savefig(BytesIO())


def test_every_public_plot_is_tested(result, data, found):
    used = {"coefficient_path", "rho_path", "cv_curve", "cv_map", "stability_paths", "criteria_curves"}
    assert set(plots.__all__) == used | {
        *("coefficients", "residuals", "predicted_against_observed", "missing_patterns")
    }
    assert list(drawings(result, data, found)) == NAMES


def test_path_shows_the_coefficients_and_the_rules(result, data):
    ax = plots.coefficient_path(result, rho=1.0, top=3)
    drawn = [line for line in ax.lines if len(line.get_xdata()) == 25]
    path = np.stack([result.coef_at(2, k) for k in range(25)])
    largest = np.argsort(-np.abs(path).max(axis=0))[:3]
    for line, j in zip(drawn, largest, strict=True):
        np.testing.assert_allclose(line.get_ydata(), path[:, j])
        np.testing.assert_allclose(line.get_xdata(), result.alphas[2])
    grey = ax.collections[0].get_segments()
    assert len(grey) == np.count_nonzero(path.any(axis=0)) - 3
    marks = [line.get_xdata()[0] for line in ax.lines if line.get_label() in ("min", "1se")]
    assert marks == [result.best_per_rho(rule)[2].alpha for rule in ("min", "1se")]
    assert ax.get_xlim()[0] > ax.get_xlim()[1]
    counts = [text.get_text() for text in ax.child_axes[0].get_xticklabels()]
    assert counts[-1] == "0" or counts[0] == "0"


def test_cv_curve_shows_means_and_standard_errors(result):
    ax = plots.cv_curve(result, rho=0.6)
    bars = ax.containers[0]
    np.testing.assert_allclose(bars[0].get_ydata(), result.error_mean[1])
    heights = np.array([np.ptp(s[:, 1]) for s in bars[2][0].get_segments()])
    np.testing.assert_allclose(heights, 2 * result.error_se[1])


def test_map_has_a_band_per_rho_and_marks_the_winner(result):
    ax = plots.cv_map(result)
    meshes = [c for c in ax.collections if c.get_array() is not None and c.get_array().size == 25]
    np.testing.assert_allclose(np.stack([m.get_array().ravel() for m in meshes]), result.error_mean)
    best = result.best()
    at = [line.get_xydata()[0] for line in ax.lines if line.get_label() == "min"]
    np.testing.assert_allclose(at, [[best.alpha, best.index[0]]])


def test_rules_may_count_degrees_of_freedom(result, data):
    criteria = result.criteria(data.X, data.y)
    for given in (None, criteria):
        best = result.best("1se", criteria=given)
        ax = plots.cv_map(result, criteria=given)
        (at,) = [line.get_xydata()[0] for line in ax.lines if line.get_label() == "1se"]
        np.testing.assert_allclose(at, [best.alpha, best.index[0]])


def test_stability_paths_show_the_selected_and_the_cutoff(found):
    ax = plots.stability_paths(found)
    drawn = [line.get_ydata() for line in ax.lines if len(line.get_xdata()) == 15]
    order = np.argsort(-found.frequencies, kind="stable")[: found.selected.sum()]
    np.testing.assert_allclose(np.array(drawn), found.paths[:, order].T)
    assert [line.get_ydata()[0] for line in ax.lines if "cutoff" in line.get_label()] == [0.8]


def test_wide_results_are_summarised():
    data = jaxnet.make_genomics(60, 3000, n_true=10)
    result = jaxnet.sweep(data.X, data.y, rho=[0.1, 0.5], alphas=12, cv=3, tol=1e-2)
    ax = plots.coefficient_path(result, rho=0.1, top=5)
    assert (
        len([line for line in ax.lines if len(line.get_xdata()) == 12]) == 5
        and "more in grey" in ax.texts[-1].get_text()
    )
    assert len(plots.coefficients(result.best(), top=7).patches) == 7
    assert len(render(lambda ax: plots.coefficient_path(result, ax=ax))) < 600_000


@pytest.mark.parametrize("response", [0, 1])
def test_one_of_several_responses_is_drawn(data, response):
    result = jaxnet.sweep(data.X, np.stack([data.y, -data.X[:, 2]], axis=1), rho=[0.5, 1.0], alphas=8, cv=3)
    for draw in (plots.coefficient_path, plots.cv_curve, plots.cv_map, plots.rho_path):
        draw(result, response=response)
        with pytest.raises(InvalidInput, match="response=None"):
            draw(result)
    single = jaxnet.sweep(data.X, [data.y, -data.X[:, 2]][response], rho=[0.5, 1.0], alphas=8, cv=3)
    heights = [
        plots.cv_curve(r, **o).containers[0][0].get_ydata() for r, o in ((result, {"response": response}), (single, {}))
    ]
    np.testing.assert_allclose(*heights, rtol=1e-3)


def test_relaxed_results_are_drawn_by_rho_and_blend(data):
    result = jaxnet.sweep(data.X, data.y, rho=[0.5, 1.0], alphas=12, standardize=True, relax=(1.0, 0.0))
    best = [np.nanmin(m) for m in result.error_mean]
    row = 2 + int(best[3] < best[2])
    assert f"blend = {result.blend[row]:g}" in plots.cv_curve(result, rho=1.0).get_title()
    np.testing.assert_allclose(plots.cv_curve(result, rho=1.0).containers[0][0].get_ydata(), result.error_mean[row])
    assert len(plots.cv_map(result).get_yticklabels()) == 4
    plots.coefficient_path(result)
    plots.rho_path(result)
    assert "blend = " in plots.criteria_curves(result.criteria(data.X, data.y), rho=1.0).get_title()


def test_without_folds_paths_are_drawn_and_errors_refused(data):
    result = jaxnet.fit_path(data.X, data.y, rho=[0.5, 1.0], alphas=10, standardize=True)
    assert "rho = 1" in plots.coefficient_path(result).get_title()
    plots.rho_path(result)
    for draw in (plots.cv_curve, plots.cv_map):
        with pytest.raises(InvalidInput, match="no folds"):
            draw(result)


WRONG = {
    "rho": (lambda r, d: plots.coefficient_path(r, rho=0.7), r"rho=0.7 was not swept; choose one of 0.2, 0.6, 1"),
    "response": (lambda r, d: plots.cv_curve(r, response=0), "response=0"),
    "alpha": (lambda r, d: plots.rho_path(r, alpha=-1.0), "alpha=-1.0"),
    "far alpha": (lambda r, d: plots.rho_path(r, alpha=1e6), "alpha=1e"),
    "top": (lambda r, d: plots.coefficients(r.best(), top=-1), "top=-1"),
    "sd": (lambda r, d: plots.coefficient_path(r, sd=[1.0]), r"sd has shape \(1,\)"),
    "names": (lambda r, d: plots.coefficients(r.best(), feature_names=["a"]), "feature_names has 1"),
    "axes": (lambda r, d: plots.cv_curve(r, ax="here"), "ax='here'"),
    "lengths": (lambda r, d: plots.residuals(d.y, d.y[:3]), "predicted has 3 entries"),
    "format": (lambda r, d: render(lambda ax: None, format="gif"), "format='gif'"),
    "criteria rho": (lambda r, d: plots.criteria_curves(r.criteria(d.X, d.y), rho=0.3), "rho=0.3"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_arguments_are_named(name, result, data):
    draw, pattern = WRONG[name]
    with pytest.raises(InvalidInput, match=pattern):
        draw(result, data)


SUBJECTS = {  # every picture, its other arguments, and what it is of
    "coefficient_path": ((), jaxnet.SweepResult),
    "rho_path": ((), jaxnet.SweepResult),
    "cv_curve": ((), jaxnet.SweepResult),
    "cv_map": ((), jaxnet.SweepResult),
    "criteria_curves": ((), jaxnet.Criteria),
    "stability_paths": ((), jaxnet.StabilityResult),
    "coefficients": ((), jaxnet.BestFit),
    "missing_patterns": ((), jaxnet.MissingPatterns),
    "residuals": ((np.ones(3),), np.ndarray),
    "predicted_against_observed": ((np.ones(3),), np.ndarray),
}
OTHERS = {  # of the result, the data and what stability selection found
    "an estimator": lambda r, d, f: jaxnet.ElasticNetCV(),
    "a fitted estimator": lambda r, d, f: jaxnet.Lasso().fit(d.X, d.y),
    "None": lambda r, d, f: None,
    "a text": lambda r, d, f: "run.jaxnet",
    "a number": lambda r, d, f: 3,
    "an array of text": lambda r, d, f: np.array(["a", "b", "c"]),
    "a list of dicts": lambda r, d, f: [{"a": 1}] * 3,
    "a matrix": lambda r, d, f: d.X,
    "a frame": lambda r, d, f: pd.DataFrame(d.X),
    "a sweep": lambda r, d, f: r,
    "a fit": lambda r, d, f: r.best(),
    "several fits": lambda r, d, f: r.best_per_rho(),
    "criteria": lambda r, d, f: r.criteria(d.X, d.y),
    "stability": lambda r, d, f: f,
    "patterns": lambda r, d, f: missing(d.X),
    "frequencies": lambda r, d, f: r.explain(d.X),
}


@pytest.fixture(scope="module")
def others(result, data, found) -> dict:
    return {name: make(result, data, found) for name, make in OTHERS.items()}


def test_every_public_plot_has_a_subject():
    assert set(SUBJECTS) == set(plots.__all__)


@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize("name", SUBJECTS)
def test_a_plot_of_something_else_says_what_it_draws(name, other, others):
    (more, kind), given = SUBJECTS[name], others[other]
    if isinstance(given, kind) and other not in ("a matrix", "an array of text"):
        return
    with pytest.raises(InvalidInput) as caught:
        getattr(plots, name)(given, *more)
    message = str(caught.value)
    assert message[0] in "pyfX" and message.endswith(".") and len(message) < 400
    if name != "coefficients" or "jaxnet" in message:  # which takes numbers too
        assert f"plots.{name} draws " in message or kind is np.ndarray
    assert not pyplot.get_fignums()


def test_coefficients_of_a_sweep_says_to_pass_its_best(result):
    with pytest.raises(InvalidInput, match=r"got a SweepResult\. Pass result\.best\(\)\."):
        plots.coefficients(result)
    with pytest.raises(InvalidInput, match=r"got a Lasso\. Pass its coef_\."):
        plots.coefficients(jaxnet.Lasso())


@pytest.mark.parametrize("format", FORMATS)
def test_images_are_what_they_say_and_the_same_each_time(format, result):
    first, second = (render(lambda ax: plots.cv_curve(result, ax=ax), format=format) for _ in range(2))
    assert first.lstrip().startswith({"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}[format])
    if format == "png":
        assert first == second


def test_names_are_text_and_labels_keep_apart():
    assert plain("a$b\n" + "x" * 50) == r"a\$b " + "x" * 18 + "…" or len(plain("x" * 50)) == 24
    rng = np.random.default_rng(0)
    heights = np.sort(rng.uniform(0, 1, 12))
    places = spread(heights, 0.05, 0.0, 1.0)
    assert np.diff(places).min() > 0.05 - 1e-12 and places.min() > -0.2 and places.max() <= 1.0 + 1e-12
    ax = plots.coefficients(np.array([1.0, -2.0]), feature_names=["<b>$x^2", "beta_$"])
    ax.figure.savefig(BytesIO())


def test_without_matplotlib_a_sentence_says_what_to_install(monkeypatch, result, data, found):
    import sys

    for name in [name for name in sys.modules if name.split(".")[0] == "matplotlib"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    for draw in drawings(result, data, found).values():
        with pytest.raises(InvalidInput, match=r"jaxnet-elasticnet\[plots\]"):
            draw()
    with pytest.raises(InvalidInput, match=r"jaxnet-elasticnet\[plots\]"):
        render(lambda ax: None)
