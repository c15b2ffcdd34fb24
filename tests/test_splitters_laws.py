"""Laws of every splitter: what groups, strata and fold numbers promise, in whatever form they come, held against scikit-learn."""

import datetime
import inspect
import pickle

import cases
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sklearn import linear_model, model_selection

import jaxnet
from jaxnet.data.groups import as_groups
from jaxnet.resampling import resamples

N = cases.TALL[0]
OWN = {name: case for name, case in cases.SPLITTERS.items() if type(case.cv).__module__.startswith("jaxnet.")}
SEEDED = [
    "KFold shuffled",
    "RepeatedKFold",
    "Bootstrap",
    "ComplementaryPairs",
    "GroupKFold shuffled",
    "StratifiedKFold shuffled",
]


def folds(cv, n=N, y=None, groups=None, weight=None) -> np.ndarray:
    """What each fold trains on and scores: (2, K, n)."""
    y = cases.data("tall").y[:n] if y is None else y
    found = resamples(cv, np.zeros((n, 1)), y, groups=groups, weight=weight)
    return np.stack([found.train[1:], found.test[1:]])


def random_groups(seed: int) -> np.ndarray:
    """Labels of 5 to 30 groups, of one row or of many, in any order."""
    rng = np.random.default_rng(seed)
    return rng.permutation(np.repeat(rng.permutation(100)[: rng.integers(5, 30)], rng.integers(1, 9)))[
        : rng.integers(40, 70)
    ]


@pytest.mark.parametrize("name", cases.SPLITTERS)
def test_splits_have_no_row_on_both_sides_and_hold_out_every_row_once(name):
    case = cases.SPLITTERS[name]
    train, test = folds(case.cv, groups=case.groups(N))
    assert not (train * test).any() and train.any(axis=1).all() and test.any(axis=1).all()
    if case.partition:
        assert (test.sum(axis=0) == 1).all() and ((train > 0) | (test > 0)).all()
    again = folds(case.cv, groups=case.groups(N))
    np.testing.assert_array_equal(again, [train, test])


@pytest.mark.parametrize("name", [name for name, case in cases.SPLITTERS.items() if case.grouped])
@pytest.mark.parametrize("seed", range(5))
def test_no_group_is_on_both_sides(name, seed):
    labels = random_groups(seed)
    for train, test in zip(*folds(cases.SPLITTERS[name].cv, len(labels), np.zeros(len(labels)), labels), strict=True):
        assert not {*labels[train > 0]} & {*labels[test > 0]}
        for label in {*labels[train > 0]}:
            assert (train[labels == label] > 0).all()  # whole groups


@pytest.mark.parametrize("seed", range(20))
def test_group_folds_are_those_of_scikit_learn(seed):
    labels, K = random_groups(seed), 2 + seed % 3
    X = np.zeros((len(labels), 1))
    for mine, theirs in (
        (jaxnet.GroupKFold(K), model_selection.GroupKFold(K)),
        (jaxnet.LeaveOneGroupOut(), model_selection.LeaveOneGroupOut()),
    ):
        assert mine.get_n_splits(X, None, labels) == theirs.get_n_splits(X, None, labels)
        for ours, other in zip(mine.split(X, None, labels), theirs.split(X, None, labels), strict=True):
            np.testing.assert_array_equal(ours[0], other[0])
            np.testing.assert_array_equal(ours[1], other[1])


@pytest.mark.parametrize("seed", range(20))
def test_shuffled_group_folds_are_balanced_too(seed):
    labels = random_groups(seed)
    test = folds(jaxnet.GroupKFold(4, shuffle=True, seed=seed), len(labels), np.zeros(len(labels)), labels)[1]
    assert np.ptp(test.sum(axis=1)) <= np.unique(labels, return_counts=True)[1].max()


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("seed", range(10))
def test_strata_are_spread_evenly(seed, shuffle):
    rng = np.random.default_rng(seed)
    n, K, bins = int(rng.integers(40, 90)), int(rng.integers(2, 6)), int(rng.integers(2, 8))
    splitter = jaxnet.StratifiedKFold(K, shuffle=shuffle, bins=bins)
    few = rng.choice([0.0, 1.5, 7.0][: min(3, bins)], n)
    smooth = rng.standard_normal(n)
    for y, strata in ((few, few), (smooth, pd.qcut(smooth, min(bins, n // K), labels=False))):
        test = folds(splitter, n, y)[1]
        assert np.ptp(test.sum(axis=1)) <= 1
        for stratum in np.unique(strata):
            assert np.ptp(test[:, strata == stratum].sum(axis=1)) <= 1
    if not shuffle:
        theirs = model_selection.StratifiedKFold(K).split(np.zeros((n, 1)), few.astype(str))
        for (_, test), (_, other) in zip(splitter.split(np.zeros((n, 1)), few), theirs, strict=True):
            np.testing.assert_array_equal(test, other)


def test_strata_steady_the_means_of_folds():
    rng = np.random.default_rng(0)
    spread = {True: [], False: []}
    for seed in range(20):
        y = rng.lognormal(size=60)
        for stratified, splitter in (
            (True, jaxnet.StratifiedKFold(5, shuffle=True, seed=seed)),
            (False, jaxnet.KFold(5, True, seed)),
        ):
            spread[stratified].append(np.std([y[test].mean() for _, test in splitter.split(y[:, None], y)]))
    assert np.mean(spread[True]) < 0.7 * np.mean(spread[False])


def test_halves_of_groups_of_one_row_are_halves_of_rows():
    plain, grouped = (folds(jaxnet.ComplementaryPairs(3), groups=groups) for groups in (None, np.arange(N)))
    np.testing.assert_array_equal(plain, grouped)
    labels = cases.groups(N)
    train, test = folds(jaxnet.ComplementaryPairs(3), groups=labels)
    np.testing.assert_array_equal(train[::2], test[1::2])
    assert {len({*labels[half > 0]}) for half in train} == {len({*labels}) // 2}


@pytest.mark.parametrize("name", [name for name, case in cases.SPLITTERS.items() if case.labelled])
def test_rows_of_weight_zero_take_no_part(name):
    case, weight = cases.SPLITTERS[name], cases.weights(N)
    kept = weight > 0
    labels, y = case.groups(N), cases.data("tall").y
    there = folds(case.cv, groups=labels, weight=weight)
    alone = folds(case.cv, kept.sum(), y[kept], None if labels is None else labels[kept])
    np.testing.assert_array_equal(there[:, :, kept], alone)
    assert not there[:, :, ~kept].any()


def forms(labels: np.ndarray) -> dict:
    """The same groups in other forms."""
    text = [f"patient {label}" for label in labels]
    days = [datetime.date(2024, 1, 1) + datetime.timedelta(int(label)) for label in labels]
    return {
        "list": labels.tolist(),
        "floats": labels / 4,
        "texts": np.array(text),
        "objects": np.array(text, dtype=object),
        "several types": [text[i] if label % 2 else int(label) for i, label in enumerate(labels)],
        "large numbers": labels.astype(np.int64) + 2**60,
        "days": np.array(days, dtype="datetime64[D]"),
        "Series": pd.Series(text, index=np.arange(len(text))[::-1]),
        "nullable": pd.Series(labels, dtype="Int64"),
        "categories": pd.Series(text).astype("category"),
        "Series of days": pd.Series(pd.to_datetime(days)),
        "polars": pl.Series(text),
        "polars categories": pl.Series(text, dtype=pl.Categorical),
        "pyarrow": pa.chunked_array([text]),
    }


@pytest.mark.parametrize("form", forms(np.arange(2)))
def test_forms_of_groups_agree(form):
    labels = cases.groups(N)
    given = as_groups(forms(labels)[form], N)
    assert len(np.unique(given)) == len(np.unique(labels))
    for cv in (jaxnet.LeaveOneGroupOut(), model_selection.LeaveOneGroupOut()):
        ours, plain = (folds(cv, groups=groups) for groups in (given, labels))
        key = lambda found: sorted(map(tuple, found[1].astype(int).tolist()))  # other labels have another order
        assert key(ours) == key(plain)


NUMBERS = np.random.default_rng(2).permutation(np.arange(N) % 3)


@pytest.mark.parametrize("form", ["array", "list", "floats", "Series", "polars", "pyarrow", "from one on", "nullable"])
def test_fold_numbers_are_a_predefined_split(form):
    given = {
        "array": NUMBERS,
        "list": NUMBERS.tolist(),
        "floats": NUMBERS.astype(float),
        "Series": pd.Series(NUMBERS, index=np.arange(N)[::-1]),
        "polars": pl.Series(NUMBERS),
        "pyarrow": pa.chunked_array([NUMBERS]),
        "from one on": NUMBERS * 5 + 1,
        "nullable": pd.Series(NUMBERS, dtype="Int64"),
    }[form]
    np.testing.assert_array_equal(folds(given), folds(model_selection.PredefinedSplit(NUMBERS)))


def test_rows_of_fold_minus_one_are_never_held_out():
    numbers = np.where(NUMBERS == 2, -1, NUMBERS)
    np.testing.assert_array_equal(folds(numbers), folds(model_selection.PredefinedSplit(numbers)))


def test_fold_numbers_of_rows_of_weight_zero_make_no_fold():
    weight = np.where(NUMBERS == 1, 0.0, 1.0)
    found = folds(NUMBERS, weight=weight)
    assert found.shape == (2, 2, N) and not found[:, :, NUMBERS == 1].any()


@pytest.mark.parametrize("name", SEEDED)
def test_the_seed_has_two_names(name):
    case = cases.SPLITTERS[name]
    made = lambda **seed: type(case.cv)(**({"shuffle": True} if hasattr(case.cv, "shuffle") else {}), **seed)
    assert made(seed=3) == made(random_state=3) != made(random_state=4)
    assert made() == made(seed=0) and made().seed == 0  # the same folds every time
    assert made(random_state=None).seed is None
    labels = cases.groups(N) if case.grouped else None
    np.testing.assert_array_equal(
        folds(made(seed=3), groups=labels), folds(made(random_state=np.int64(3)), groups=labels)
    )
    assert not np.array_equal(folds(made(seed=3), groups=labels), folds(made(random_state=4), groups=labels))
    with pytest.raises(jaxnet.InvalidInput, match=r"seed=1 and random_state=1 are two names of one option"):
        made(seed=1, random_state=1)
    for wrong in (-1, 0.5, np.random.RandomState(0)):
        with pytest.raises(jaxnet.InvalidInput, match=r"seed=.* must be None or an integer .*random_state"):
            folds(made(random_state=wrong), groups=labels)


def test_k_fold_as_people_type_it():
    assert jaxnet.KFold(5, shuffle=True, random_state=1) == jaxnet.KFold(5, True, 1)
    assert jaxnet.KFold(5) == jaxnet.KFold(5, seed=None) and jaxnet.KFold(5).seed is None
    with pytest.raises(jaxnet.InvalidInput, match=r"seed=1 .* add shuffle=True"):
        folds(jaxnet.KFold(5, random_state=1))
    theirs = model_selection.KFold(5, shuffle=True, random_state=1)
    data, pairs = cases.data("tall"), list(theirs.split(np.zeros((N, 1))))
    one, other = (jaxnet.sweep(data.X, data.y, cv=cv, **cases.GRID) for cv in (theirs, pairs))
    np.testing.assert_array_equal(one.errors, other.errors)


@pytest.mark.parametrize("name", OWN)
def test_scikit_learn_takes_our_splitters(name):
    case, data = OWN[name], cases.data("tall")
    labels, splitter = case.groups(N), case.cv
    pairs = list(splitter.split(data.X, data.y, labels))
    assert splitter.get_n_splits(data.X, data.y, labels) == len(pairs)
    model = linear_model.Ridge()
    scores = model_selection.cross_val_score(model, data.X, data.y, cv=splitter, groups=labels)
    np.testing.assert_array_equal(scores, model_selection.cross_val_score(model, data.X, data.y, cv=pairs))
    search = model_selection.GridSearchCV(model, {"alpha": [0.1, 1.0]}, cv=splitter).fit(data.X, data.y, groups=labels)
    assert search.n_splits_ == len(pairs)
    assert pickle.loads(pickle.dumps(splitter)) == splitter
    assert list(inspect.signature(splitter.split).parameters) == ["X", "y", "groups"]


class Ours:
    """A splitter of somebody's, with a split of some signature."""

    def __init__(self, split):
        self.split = split

    def __repr__(self):
        return "Ours()"


def _fails(X, y, groups=None):
    raise KeyError("site")


def _needs(X, y, groups):
    yield from model_selection.LeaveOneGroupOut().split(X, y, groups)


SECOND = "both sides of fold 0"
WRONG = {
    "no groups": ({"cv": jaxnet.GroupKFold(3)}, "GroupKFold .* needs groups=: one label per row"),
    "no groups for theirs": ({"cv": model_selection.GroupKFold(3)}, r"cv=GroupKFold\(n_splits=3.* needs groups=: one label"),
    "no groups for anybody's": ({"cv": Ours(_needs)}, r"cv=Ours\(\) needs groups="),
    "a generator that wanted groups": (
        {"cv": model_selection.GroupKFold(3).split(np.zeros((N, 1)))},
        "could not be read: .* Give the splitter itself as cv, and groups=",
    ),
    "groups for k folds": ({"cv": jaxnet.KFold(3), "groups": NUMBERS}, "groups has no effect on KFold.*GroupKFold"),
    "groups for their k folds": ({"cv": model_selection.KFold(3), "groups": NUMBERS}, "no effect on cv=KFold"),
    "groups for their repeats": ({"cv": model_selection.ShuffleSplit(3), "groups": NUMBERS}, "no effect on cv=ShuffleSplit"),
    "groups for a bootstrap": ({"cv": jaxnet.Bootstrap(3), "groups": NUMBERS}, "no effect on Bootstrap"),
    "groups for strata": ({"cv": jaxnet.StratifiedKFold(3), "groups": NUMBERS}, "no effect on StratifiedKFold"),
    "groups where split takes none": ({"cv": Ours(lambda X, y: None), "groups": NUMBERS}, r"no effect on cv=Ours\(\)"),
    "groups without folds": ({"cv": None, "groups": NUMBERS}, r"no.* \(cv=None\): leave groups out"),
    "groups on both sides of pairs": ({"cv": [(np.arange(20), np.arange(20, 40))], "groups": NUMBERS}, SECOND),
    "groups on both sides of numbers": ({"cv": NUMBERS, "groups": np.arange(N) % 5}, f"group 0 and 3 more on {SECOND}"),
    "groups that a splitter does not keep": ({"cv": cases.Pairs(((np.arange(9), np.arange(9, 40)),)), "groups": NUMBERS}, SECOND),
    "one group": ({"cv": jaxnet.LeaveOneGroupOut(), "groups": ["a"] * N}, f"puts all {N} rows into one group, 'a'"),
    "one group of folds": ({"groups": ["a"] * N}, "5 folds of whole groups need .* groups has 1: nothing can be held out"),
    "fewer groups than folds": ({"cv": 4, "groups": NUMBERS}, "n_splits=4 folds .* groups has 3: use at most 3 folds"),
    "too few groups to halve": ({"cv": jaxnet.ComplementaryPairs(3), "groups": NUMBERS}, "groups has 3; halves"),
    "missing groups": ({"groups": [None, np.nan, *NUMBERS[2:]]}, "groups has 2 missing values, in rows 0, 1: give every"),
    "a missing text": ({"groups": pd.Series(["a", None] * 20)}, "groups has 20 missing values"),
    "too few labels": ({"groups": NUMBERS[:-1]}, f"groups has {N - 1} entries but X has {N} rows"),
    "one label": ({"groups": 3}, "groups is a single value: give one label per row"),
    "two columns": ({"groups": np.zeros((N, 2))}, r"groups is an array of shape \(40, 2\)"),
    "lists for labels": ({"groups": np.array([*([[1]] * (N - 1)), {}], dtype=object)}, r"groups holds \[1\], which is no label"),
    "a name without names": ({"groups": "patient"}, "groups='patient' names a column, and X is no data frame"),
    "a text of fold numbers": ({"cv": np.array(["a", "b"] * 20)}, "cv holds 'a', .*LeaveOneGroupOut"),
    "a list of labels": ({"cv": ["a", "b"] * 20}, "cv holds 'a'"),
    "truth values": ({"cv": NUMBERS > 1}, "cv holds (True|False), which is no fold number"),
    "half folds": ({"cv": NUMBERS + 0.5}, r"cv has the fold number [0-2]\.5 in row 0 and 39 more"),
    "a missing number": ({"cv": np.r_[np.nan, NUMBERS[1:]]}, "cv has the fold number nan in row 0:"),
    "negative numbers": ({"cv": NUMBERS - 3}, "or -1 for rows that are never held out"),
    "one number": ({"cv": np.ones(N)}, "cv has the fold number 1 in every row"),
    "too few numbers": ({"cv": NUMBERS[1:]}, f"an array of {N - 1} fold numbers, but X has {N} rows"),
    "their message": ({"cv": model_selection.KFold(50)}, r"cv=KFold\(n_splits=50.* could not split 40 rows: .*50"),
    "their strata": ({"cv": model_selection.StratifiedKFold(3)}, "jaxnet.StratifiedKFold cuts a continuous y into bins"),
    "a bug": ({"cv": Ours(_fails)}, r"cv=Ours\(\) could not split 40 rows: 'site'. If it needs groups, give groups="),
    "bins": ({"cv": jaxnet.StratifiedKFold(3, bins=0)}, "bins=0 must be an integer of at least 1"),
    "stratified folds": ({"cv": jaxnet.StratifiedKFold(41)}, "n_splits=41 folds need at least as many rows"),
    "a shuffle": ({"cv": jaxnet.GroupKFold(3, shuffle="yes"), "groups": NUMBERS}, "shuffle='yes' of GroupKFold"),
    "inner folds": ({"cv": 3, "adaptive": jaxnet.Adaptive(cv=jaxnet.KFold(3)), "groups": NUMBERS}, "no effect on KFold"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_wrong_splits_are_sentences(name):
    options, pattern = WRONG[name]
    data = cases.data("tall")
    with pytest.raises(jaxnet.InvalidInput, match=pattern) as caught:
        jaxnet.sweep(data.X, data.y, **{**cases.GRID, **options})
    assert str(caught.value).endswith((".", "=.")) and len(str(caught.value)) < 600
    for call in (jaxnet.LassoCV(cv=options.get("cv")).fit,):  # the estimators say the same
        if (
            "adaptive" not in options
            and options.get("cv", 5) is not None
            and not inspect.isgenerator(options.get("cv"))
        ):
            with pytest.raises(
                jaxnet.InvalidInput, match=pattern if name != "a name without names" else "is a text: give LassoCV"
            ):
                call(data.X, data.y, **({"groups": options["groups"]} if "groups" in options else {}))


def test_several_responses_are_not_stratified():
    data = cases.data("tall")
    with pytest.raises(jaxnet.InvalidInput, match="y has 2 responses, and StratifiedKFold"):
        jaxnet.sweep(data.X, np.stack([data.y, data.y], axis=1), cv=jaxnet.StratifiedKFold(3), **cases.GRID)
    with pytest.raises(jaxnet.InvalidInput, match="StratifiedKFold needs y"):
        next(jaxnet.StratifiedKFold(3).split(data.X))
