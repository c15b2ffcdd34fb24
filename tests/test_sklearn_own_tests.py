"""scikit-learn's own tests of coordinate descent, with our classes in the place of theirs: what fails is listed, with a reason.

Their file is read where scikit-learn is installed and run with one import more. A listed test that passes is an error, and so
is one that fails and is not listed.
"""

import json
import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
import sklearn

NAMES = ("ElasticNet", "ElasticNetCV", "Lasso", "LassoCV", "enet_path", "lasso_path")
AFTER_THEIR_IMPORTS = "from sklearn.model_selection import ("

WARM_START = "each fit starts from the path of its own; warm_start has no effect, and counts of passes are our solver's"
PRECOMPUTE = "precompute has no effect, so a Gram matrix is not looked at"
INTERNAL = "replaces a class inside scikit-learn"
CLOSER = "our final fit is as exact as rounding allows, theirs stops at tol=1e-4: they differ by 1e-4, asked for are seven digits"
TOL = "fits to equal data by other weights or rows stop at tol, apart by what tol allows"
RENAMED = "we keep n_alphas, and have nothing to warn of"
DIFFERENT = {
    "test_enet_nonfinite_params": "refused before the fit, in another sentence",
    "test_warm_start": WARM_START,
    "test_warm_start_convergence[False-csr_array]": WARM_START,
    "test_warm_start_convergence[False-csr_matrix]": WARM_START,
    "test_warm_start_convergence_with_regularizer_decrement": WARM_START,
    "test_enet_coordinate_descent_raises_convergence[Lasso-kwargs0]": WARM_START,
    "test_enet_coordinate_descent_raises_convergence[Lasso-kwargs1]": WARM_START,
    "test_lasso_alpha_warning": "alpha=0 has a closed form here, certified as any fit: nothing to warn of",
    "test_1d_multioutput_enet_and_multitask_enet_cv": CLOSER,
    "test_1d_multioutput_lasso_and_multitask_lasso_cv": CLOSER,
    "test_elasticnet_precompute_incorrect_gram": PRECOMPUTE,
    "test_overridden_gram_matrix": PRECOMPUTE,
    "test_check_input_false": "X is looked at in any memory order, also with check_input=False",
    "test_enet_copy_X_False_check_input_False": "X is never overwritten",
    "test_enet_l1_ratio": "l1_ratio=0 takes a count of alphas too: the grid of a small ratio",
    "test_lassoCV_does_not_set_precompute[True-True]": INTERNAL,
    "test_lassoCV_does_not_set_precompute[auto-False]": INTERNAL,
    "test_lassoCV_does_not_set_precompute[False-False]": INTERNAL,
    "test_enet_sample_weight_consistency[None-False-0.01-True-ElasticNet]": TOL,
    "test_enet_sample_weight_consistency[None-False-0.01-False-ElasticNet]": TOL,
    "test_enet_sample_weight_consistency[None-True-0.01-True-ElasticNet]": TOL,
    "test_enet_sample_weight_consistency[None-True-0.01-False-ElasticNet]": TOL,
    "test_enet_cv_sample_weight_correctness[None-False-ElasticNetCV]": TOL,
    "test_cv_estimators_reject_params_with_no_routing_enabled[ElasticNetCV]": "groups go to a splitter without the switch",
    "test_cv_estimators_reject_params_with_no_routing_enabled[LassoCV]": "groups go to a splitter without the switch",
    "test_path_function_deprecated_n_alphas[lasso_path]": RENAMED,
    "test_path_function_deprecated_n_alphas[enet_path]": RENAMED,
}
SPARSE = re.compile(r"cs[rc]_(array|matrix)|coo_(array|matrix)|^test_sparse_|^test_random_descent")
FOREIGN = re.compile(
    r"MultiTask|multi_?task|_set_order|_cython_solver|^test_enet_multitarget$|^test_multioutput_enetcv"
)
SLOW = {
    "test_1d_multioutput_lasso_and_multitask_lasso_cv",
    "test_overridden_gram_matrix",
    "test_enet_alpha_max",
    "test_enet_ridge_consistency",
    "test_linear_models_cv_fit_with_loky",
    "test_lasso_cv_positive_constraint",
    "test_enet_path_positive",
    "test_lassoCV_does_not_set_precompute",
    "test_enet_cv_sample_weight_correctness",
    "test_check_input_false",
    "test_lasso_cv",
    "test_lasso_cv_with_some_model_selection",
    "test_enet_cv_sample_weight_consistency",
    "test_sample_weight_invariance",
    "test_enet_cv_grid_search",
    "test_enet_path",
}
"""Functions that the default run leaves out."""


def is_ours(name: str) -> bool:
    """Whether a test is of one response and a dense X, by our classes."""
    return name in DIFFERENT or not (SPARSE.search(name) or FOREIGN.search(name))


CONFTEST = """
import json, pathlib, pytest
HERE = pathlib.Path(__file__).parent
OUTCOMES = {}

@pytest.fixture
def global_random_seed():
    return 42

def pytest_collection_modifyitems(items):
    chosen = json.loads((HERE / "chosen.json").read_text())
    if chosen is None:
        (HERE / "collected.json").write_text(json.dumps([item.name for item in items]))
    else:
        items[:] = [item for item in items if item.name in chosen]

def pytest_runtest_logreport(report):
    name = report.nodeid.split("::", 1)[1]
    if report.when == "call" or report.outcome != "passed":
        OUTCOMES[name] = [report.outcome, report.duration]

def pytest_sessionfinish():
    (HERE / "outcomes.json").write_text(json.dumps(OUTCOMES))
"""


@pytest.fixture(scope="module")
def theirs(tmp_path_factory) -> Path:
    """A folder with their file, in which our names come after theirs."""
    folder = tmp_path_factory.mktemp("theirs")
    text = (Path(find_spec("sklearn.linear_model").origin).parent / "tests/test_coordinate_descent.py").read_text()
    assert text.count(AFTER_THEIR_IMPORTS) == 1
    ours = f"from jaxnet import {', '.join(NAMES)}\n{AFTER_THEIR_IMPORTS}"
    (folder / "test_theirs.py").write_text(text.replace(AFTER_THEIR_IMPORTS, ours))
    (folder / "conftest.py").write_text(CONFTEST)
    return folder


def _pytest(folder: Path, chosen: list[str] | None, *options: str) -> None:
    (folder / "chosen.json").write_text(json.dumps(chosen))
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:xdist",
        "-c",
        os.devnull,
        *options,
    ]
    done = subprocess.run(
        [*command, "--rootdir", str(folder), "test_theirs.py"], cwd=folder, capture_output=True, text=True
    )
    assert done.returncode in (0, 1), done.stdout + done.stderr


@pytest.fixture(scope="module")
def collected(theirs) -> list[str]:
    _pytest(theirs, None, "--collect-only")
    return json.loads((theirs / "collected.json").read_text())


def _function(name: str) -> str:
    return name.split("[")[0]


only_1_9 = pytest.mark.skipif(not sklearn.__version__.startswith("1.9."), reason="the list is that of scikit-learn 1.9")


@only_1_9
@pytest.mark.parametrize("slow", [False, pytest.param(True, marks=pytest.mark.campaign)])
def test_their_tests_pass_but_for_those_that_are_listed(slow, theirs, collected):
    chosen = [name for name in collected if is_ours(name) and (_function(name) in SLOW) == slow]
    _pytest(theirs, chosen)
    outcomes = json.loads((theirs / "outcomes.json").read_text())
    assert set(outcomes) == set(chosen)
    failed = {name for name, (outcome, _) in outcomes.items() if outcome == "failed"}
    listed = set(DIFFERENT) & set(chosen)
    assert sorted(failed - listed) == [], "these fail, and no reason is listed"
    assert sorted(listed - failed) == [], "these pass: take them off the list"


@only_1_9
def test_the_list_is_of_their_tests(collected):
    assert set(DIFFERENT) <= set(collected) and {_function(name) for name in collected} >= SLOW
    assert sum(map(is_ours, collected)) >= 100
