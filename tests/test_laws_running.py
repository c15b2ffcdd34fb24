"""How a sweep behaves as a program: precision scope, threads, interruption, progress, memory, devices, float32."""

import dataclasses
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor

import cases
import jax
import numpy as np
import oracles
import pytest
from checks import Request, audit, dense_row

import jaxnet

GRID = cases.GRID


def _run(**options):
    data = cases.data("tall")
    return jaxnet.sweep(data.X, data.y, **{**GRID, "cv": 3, **options})


def test_precision_is_scoped():
    """64-bit inside, whatever it is outside; results are NumPy float64 either way."""
    assert not jax.config.jax_enable_x64
    outside = _run(tol=1e-9)
    assert not jax.config.jax_enable_x64 and jax.numpy.ones(1).dtype == np.float32
    with jax.enable_x64(True):
        inside = _run(tol=1e-9)
        assert jax.config.jax_enable_x64 and jax.numpy.ones(1).dtype == np.float64
    np.testing.assert_array_equal(outside.errors, inside.errors)
    for name in ("alphas", "intercepts", "errors", "gap", "kkt", "rho"):
        value = getattr(outside, name)
        assert type(value) is np.ndarray and value.dtype == np.float64, name
    assert type(outside.coef_at(0, 0)) is np.ndarray


def test_precision_scope_survives_an_error():
    with pytest.raises(jaxnet.InvalidInput):
        _run(rho=3)
    with pytest.raises(ZeroDivisionError):
        _run(progress=lambda done, total: 1 / 0)
    assert not jax.config.jax_enable_x64
    assert _run().converged


def test_two_threads_at_once():
    alone = [_run(tol=1e-8, solver=solver) for solver in cases.SOLVERS]
    with ThreadPoolExecutor(2) as pool:
        jobs = [pool.submit(_run, tol=1e-8, solver=solver) for solver in cases.SOLVERS * 2]
        together = [job.result(timeout=120) for job in jobs]
    for one, other in zip(alone * 2, together, strict=True):
        np.testing.assert_array_equal(one.errors, other.errors)
        np.testing.assert_array_equal(one.gap, other.gap)


@pytest.mark.parametrize("solver", cases.SOLVERS)
def test_a_sweep_repeats_itself_bit_for_bit(solver):
    """Chunks overlap where sets do not divide among the workers; which one ends last must not matter."""
    rng = np.random.default_rng(4)
    X = rng.standard_normal((25, 60))
    y = X[:, 0] + rng.standard_normal(25)
    first, *others = (jaxnet.sweep(X, y, rho=[0.3, 1.0], alphas=8, cv=4, solver=solver) for _ in range(6))
    for other in others:
        assert other.errors.tobytes() == first.errors.tobytes() and other.gap.tobytes() == first.gap.tobytes()


def test_a_thread_of_its_own():
    found = []
    worker = threading.Thread(target=lambda: found.append(_run(tol=1e-9)))
    worker.start()
    worker.join(timeout=120)
    np.testing.assert_array_equal(found[0].errors, _run(tol=1e-9).errors)


def test_second_call_compiles_nothing():
    compiled = []
    _run()

    def listen(event, duration, **kwargs):
        if "backend_compile" in event:
            compiled.append(event)

    jax.monitoring.register_event_duration_secs_listener(listen)
    try:
        _run()
        data = cases.data("tall")
        jaxnet.sweep(data.X + 1.0, data.y[::-1], cv=3, tol=1e-5, max_iter=5000, **GRID)
        same_data = len(compiled)
    finally:
        jax.monitoring.clear_event_listeners()
    assert same_data == 0, f"{same_data} programs were compiled again"


def test_nearby_shapes_share_programs():
    """Forty row counts must not mean forty compilations."""
    data, compiled = cases.data("tall"), []
    _run()

    def listen(event, duration, **kwargs):
        if "backend_compile" in event:
            compiled.append(event)

    jax.monitoring.register_event_duration_secs_listener(listen)
    try:
        for drop in range(1, 7):
            jaxnet.sweep(data.X[:-drop], data.y[:-drop], cv=3, **GRID)
    finally:
        jax.monitoring.clear_event_listeners()
    assert len(compiled) <= 10, f"{len(compiled)} programs for six nearby row counts"


def test_keyboard_interrupt_reaches_the_caller():
    """Ctrl-C half-way: no partial result, no hanging thread, and the next sweep works."""

    def interrupt(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        _run(progress=interrupt, max_memory=1)
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("jaxnet")]
    assert _run().converged


def test_progress_counts_lanes():
    calls = []
    result = _run(progress=lambda done, total: calls.append((done, total)))
    done, total = zip(*calls, strict=True)
    assert set(total) == {result.gap.size}
    assert list(done) == sorted(done) and done[-1] == result.gap.size


def test_progress_true_writes_to_stderr(capsys):
    result = _run(progress=True)
    captured = capsys.readouterr()
    assert captured.out == "" and "fits" in captured.err
    assert f"{result.gap.size:,}" in captured.err or str(result.gap.size) in captured.err
    _run()
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("solver", cases.SOLVERS)
@pytest.mark.parametrize("name", ["tall", "wide", "offset_both", "unequal_scales"])
def test_float32_is_certified_in_float64(name, solver):
    """Stored in float32: the certificate is computed in float64 and honest to the few ulps that storing may cost."""
    data = cases.data(name)
    X = data.X.astype(np.float32)
    pairs = cases.RESAMPLINGS["three_parts"](len(X))
    options = {"tol": 1e-4}
    result = jaxnet.sweep(X, data.y, cv=pairs, keep_fold_coefs=True, solver=solver, **GRID, **options)
    audit(result, Request(X, data.y, pairs, options), floor=10 * float(np.finfo(np.float32).eps))
    assert result.converged and result.errors.dtype == np.float64


def test_asking_for_float32_is_float32_data():
    """dtype=float32 on float64 data is judged against the rounded columns it computed with."""
    data = cases.data("tall")
    asked = _run(dtype="float32", tol=1e-5)
    given = jaxnet.sweep(data.X.astype(np.float32), data.y, cv=3, tol=1e-5, **GRID)
    np.testing.assert_allclose(asked.errors, given.errors, rtol=1e-3)
    np.testing.assert_allclose(asked.errors, _run(tol=1e-9).errors, rtol=1e-2)
    wide = jaxnet.sweep(data.X.astype(np.float32), data.y, cv=3, tol=1e-9, dtype=np.float64, **GRID)
    assert wide.converged


@pytest.mark.skipif(len(jax.devices()) < 2, reason="needs a second device")
def test_device_is_obeyed_and_irrelevant():
    base = _run(tol=1e-9)
    for device in (jax.devices()[1], "cpu"):
        other = _run(tol=1e-9, device=device)
        np.testing.assert_allclose(other.errors, base.errors, rtol=1e-4)


def test_max_memory_as_small_as_it_gets():
    """A budget too small for anything still runs, one chunk at a time."""
    data = cases.data("wide")
    pairs = cases.RESAMPLINGS["three_parts"](len(data.y))
    result = jaxnet.sweep(data.X, data.y, cv=pairs, max_memory=1, tol=1e-7, keep_fold_coefs=True, **GRID)
    audit(result, Request(data.X, data.y, pairs, {"tol": 1e-7}))


@pytest.mark.parametrize("solver", cases.SOLVERS)
def test_one_convergence_warning_with_counts(solver):
    data = cases.data("correlated")
    with pytest.warns(jaxnet.ConvergenceWarning) as caught:
        result = jaxnet.sweep(data.X, data.y, cv=3, tol=1e-13, max_iter=2, solver=solver, max_memory=1, **GRID)
    assert len(caught) == 1
    text = str(caught[0].message)
    late = np.asarray(result.status) == jaxnet.Status.MAX_ITER
    assert str(int(late.sum())) in text and "max_iter" in text
    assert not result.converged and np.all(np.isfinite(result.gap)) and "converge" in repr(result)
    worst = np.unravel_index(np.argmax(result.gap), result.gap.shape)
    assert f"{result.rho[worst[0]]:g}" in text, "the worst lane is named"
    assert np.max(result.iterations) <= 2
    from_here = caught[0].filename
    assert from_here == __file__, f"the warning points at {from_here}, not at the caller"


LATE = {"tol": 1e-14, "max_iter": 1}
CALLS = {  # on noise, where nothing converges
    "sweep": lambda X, y: jaxnet.sweep(X, y, cv=3, alphas=4, **LATE),
    "sweep of two responses": lambda X, y: jaxnet.sweep(X, np.stack([y, -y], axis=1), cv=3, alphas=4, **LATE),
    "adaptive": lambda X, y: jaxnet.sweep(X, y, cv=3, alphas=4, adaptive=jaxnet.Adaptive(cv=3), **LATE),
    "several fillings": lambda X, y: jaxnet.sweep(X, y, cv=3, alphas=4, missing=jaxnet.MultipleFill(m=2), **LATE),
    "fit_path": lambda X, y: jaxnet.fit_path(X, y, alphas=4, **LATE),
    "nested_sweep": lambda X, y: jaxnet.nested_sweep(X, y, outer=3, inner=3, alphas=4, rule="1se", **LATE),
    "stability_selection": lambda X, y: jaxnet.stability_selection(X, y, n_pairs=3, q=2, cutoff=0.9, **LATE),
    "ElasticNet": lambda X, y: jaxnet.ElasticNet(alpha=1e-3, **LATE).fit(X, y),
    "Lasso": lambda X, y: jaxnet.Lasso(alpha=1e-3, **LATE).fit(X, y),
    "ElasticNetCV": lambda X, y: jaxnet.ElasticNetCV(l1_ratio=[0.1, 1.0], alphas=4, cv=3, **LATE).fit(X, y),
    "LassoCV": lambda X, y: jaxnet.LassoCV(alphas=4, cv=3, **LATE).fit(X, y),
    "adaptive LassoCV": lambda X, y: jaxnet.LassoCV(alphas=4, cv=3, adaptive=jaxnet.Adaptive(), **LATE).fit(X, y),
    "path": lambda X, y: jaxnet.Lasso.path(X, y, alphas=4, **LATE),
}


@pytest.mark.parametrize("name", CALLS)
def test_every_call_warns_once_at_the_callers_line(name):
    rng = np.random.default_rng(1)
    X, y = rng.normal(size=(36, 20)) + 2 * rng.normal(size=(36, 1)), rng.normal(size=36)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        CALLS[name](X, y)
    late = [warning for warning in caught if issubclass(warning.category, jaxnet.ConvergenceWarning)]
    assert len(late) == len(caught) == 1
    assert late[0].filename == __file__ and "missed tol=1e-14" in str(late[0].message)


def test_result_is_a_frozen_pytree():
    result = _run(keep_fold_coefs=True)
    with pytest.raises(Exception, match=r"frozen|assign"):
        result.alphas = None
    leaves, structure = jax.tree_util.tree_flatten(result)
    assert len(leaves) > 5 and all(isinstance(leaf, (np.ndarray, np.generic, float, int)) for leaf in leaves)
    again = jax.tree_util.tree_unflatten(structure, leaves)
    np.testing.assert_array_equal(again.errors, result.errors)
    np.testing.assert_array_equal(again.coef_at(1, 4), result.coef_at(1, 4))
    assert again.best().alpha == result.best().alpha


@pytest.mark.parametrize("penalty", cases.PENALTIES)
def test_result_says_what_its_fits_minimised(penalty):
    asked = {"fit_intercept": True, "standardize": False, "penalty_factor": None, "lower": None, "upper": None}
    asked |= cases.PENALTIES[penalty](12)
    options = _run(sample_weight=cases.weights(40), **cases.PENALTIES[penalty](12)).options
    assert options.weighted and not _run().options.weighted
    for name, value in asked.items():
        np.testing.assert_array_equal(
            getattr(options, name), value if value is None else np.broadcast_to(value, np.shape(getattr(options, name)))
        )


def test_sparse_rows_are_the_dense_coefficients():
    result = _run(keep_fold_coefs=True)
    dense = np.stack([dense_row(result.coefs, r) for r in range(10)]).reshape(2, 5, -1)
    for i, k in np.ndindex(2, 5):
        np.testing.assert_array_equal(dense[i, k], result.coef_at(i, k))
    assert len(result.fold_coefs) == 2 * 5 * 3


def test_repr_says_what_happened():
    text = repr(_run())
    best = _run().best()
    for word in ("12 columns", "2 rho", "5 alphas", "3 folds", f"{best.alpha:.3g}"[:4]):
        assert word in text, f"{word} is missing from {text}"


def test_repr_survives_errors_that_overflow():
    """A metric of the caller's may give what float64 does not hold."""
    result = _run()
    result = dataclasses.replace(result, errors=np.full_like(result.errors, np.inf))
    assert "nothing to choose from" in repr(result) and "certified" in repr(result)


def test_results_compare_by_identity():
    """Field by field they could not: the truth of an array is ambiguous."""
    result, other = _run(), _run()
    assert result != other and result == result and len({result, other, result.best()}) == 3


def test_result_keeps_its_own_arrays():
    rho, alphas = np.array([0.5, 1.0]), np.array([0.3, 0.1])
    result = _run(rho=rho, alphas=alphas)
    rho[:] = alphas[:] = 0
    np.testing.assert_array_equal(result.rho, [0.5, 1.0])
    np.testing.assert_array_equal(result.alphas, [[0.3, 0.1]] * 2)


def test_a_sweep_of_one_fit():
    data = cases.data("tall")
    result = jaxnet.fit_path(data.X, data.y, rho=0.5, alphas=[0.1], tol=1e-9)
    problem = Request(data.X, data.y).problem(0.1, 0.5)
    assert oracles.judge(problem, result.coef_at(0, 0), result.intercepts[0, 0]).relative <= 1e-9


def test_many_lanes_at_once():
    """Forty responses over one X: 40 x 2 x 3 x 4 lanes, each with its certificate."""
    data, rng = cases.data("tall"), np.random.default_rng(0)
    Y = data.X @ rng.normal(size=(12, 40)) * (rng.random((12, 40)) < 0.3).any(axis=0) + rng.normal(size=(40, 40))
    result = jaxnet.sweep(data.X, Y, rho=(0.2, 1.0), alphas=3, cv=3, tol=1e-6)
    assert result.gap.shape == (40, 2, 3, 4) and result.converged
    for j in (0, 17, 39):
        audit(result, Request(data.X, Y, cases.RESAMPLINGS["three_parts"](40), {"tol": 1e-6}), response=j)
