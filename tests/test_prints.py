"""What results print: a few readable lines, whatever their size."""

import inspect

import numpy as np
import pytest

import jaxnet


@pytest.fixture(scope="module")
def results() -> dict:
    """Of every class some, with few and many columns."""
    data = jaxnet.load_diabetes()
    X, y = data.X, data.y
    Y, holes = np.stack([y] * 5, axis=1), X.copy()
    holes[::7, 2] = np.nan
    swept = jaxnet.sweep(X, y, rho=[0.5, 1.0], alphas=5, cv=3, keep_fold_coefs=True, standardize=True)
    many = np.tile(X, 30)
    wide = jaxnet.fit_path(many, Y, rho=[0.5], alphas=5, penalty_factor=np.ones(300) + np.arange(300), tol=1e-2)
    filled = jaxnet.sweep(holes, y, rho=0.5, alphas=4, cv=3, missing=jaxnet.MultipleFill(m=2))
    relaxed = jaxnet.fit_path(X, y, rho=[0.5, 1.0], alphas=5, relax=(1.0, 0.0))
    short = jaxnet.fit_path(X[:8], y[:8], rho=[0.0], alphas=[1e3, 1e-6])
    return {
        "SweepResult": [swept, wide, filled],
        "BestFit": [swept.best()],
        "Criteria": [
            *(swept.criteria(X, y), wide.criteria(many, Y), relaxed.criteria(X, y)),
            short.criteria(X[:8], y[:8]),
        ],
        "FitOptions": [swept.options, wide.options],
        "SparseRows": [swept.coefs, wide.coefs],
        "Imputations": [filled.imputations],
        "SelectionFrequencies": [jaxnet.selection_frequencies(swept)],
        "Frequencies": [jaxnet.selection_frequencies(swept).at(0, 2)],
        "PooledCoefficients": [jaxnet.pooled_coefficients(filled), jaxnet.pooled_coefficients(filled, holes, y)],
        "Explanation": [swept.explain(X), wide.explain(many, rule="bic", criteria=wide.criteria(many, Y))[0]],
        "NestedResult": [jaxnet.nested_sweep(X, y, outer=3, inner=3, alphas=4)],
        "StabilityResult": [jaxnet.stability_selection(X, y, n_pairs=3, q=3, cutoff=0.8, bound="worst-case", alphas=6)],
        "MissingPatterns": [jaxnet.missing_patterns(holes)],
        "FeatureExpansion": [jaxnet.expand_features(X)],
        "Preparation": [filled.preparation],
        "Encoding": [jaxnet.prepare(np.array([["a"], ["b"]] * 9, dtype=object), categories=jaxnet.Categories()).encoding],
        "Example": [data],
    }  # fmt: skip


def test_every_result_prints_a_few_readable_lines(results):
    for name, found in results.items():
        for thing in found:
            assert type(thing).__name__ == name
            for text in (repr(thing), str(thing)):
                assert text.startswith(name) or "missing" in text, text
                assert len(text) < 2000 and text.count("\n") < 25 and max(map(len, text.splitlines())) < 300, text
                assert "array(" not in text and "object at 0x" not in text, text


def test_every_public_class_of_results_is_looked_at(results):
    """Public classes of `jaxnet` that hold arrays; options and estimators print their arguments, a store its path."""
    others = {"Status", "Store", "StoredRun", "InvalidInput", "ConvergenceWarning", "Adaptive", "Categories", "Missing"}
    classes = {name for name in jaxnet.__all__ if inspect.isclass(getattr(jaxnet, name))}
    options = {
        name
        for name in classes
        if name.endswith(("Fold", "GroupOut", "Bootstrap", "Pairs", "Fill", "Cases", "Pairwise"))
    }
    estimators = {name for name in classes if hasattr(getattr(jaxnet, name), "get_params")}
    assert classes - others - options - estimators <= set(results)


def test_criteria_print_the_least_of_each(results):
    table = results["Criteria"][0]
    text = repr(table)
    for rule in ("aic", "aicc", "bic", "ebic"):
        i, k = table.winner(rule)
        line = next(line.split() for line in text.splitlines() if line.split()[0] == rule.upper())
        assert line[1:4] == [f"{table.rho[i]:g}", f"{table.alphas[i, k]:.4g}", f"{table.df[i, k]:.4g}"]
    assert "not defined for" in repr(results["Criteria"][3]) and "response" in repr(results["Criteria"][1])
    assert "(blend" in repr(results["Criteria"][2])


def test_pooled_coefficients_print_the_most_selected(results):
    without, pooled = results["PooledCoefficients"]
    lines = repr(pooled).splitlines()
    assert (
        lines[1].split()[:3] == ["column", "coef", "selected"] and "total" in lines[1] and "total" not in repr(without)
    )
    assert [line.split()[0] for line in lines[2:12]] == list(pooled.names[:10])
