"""The null model: all penalised coefficients at zero, the others fitted within their bounds."""

from dataclasses import replace

import numpy as np
from jaxtyping import Array, Bool, Float, Int

from jaxnet.solver.certificate import Penalties
from jaxnet.solver.path import solve_one
from jaxnet.solver.place import null_fit
from jaxnet.solver.task import Task
from jaxnet.solver.view import View

TOL, PASSES = 1e-12, 10_000


def null_gradient(
    view: View,
    sd: Float[Array, "S p"],
    pen: Penalties,
    unpenalised: Int[np.ndarray, " u"],
    held: Bool[np.ndarray, " k"],
) -> Float[np.ndarray, "S p"]:
    """x'r of the null model of every set.

    `unpenalised` are the columns without a penalty or a bound, which have a closed form; where there are columns with a bound
    and no penalty, `held`, the solver fits them, and nothing else, at strength zero.
    """
    if not held.any():
        return np.asarray(null_fit(view, np.tile(unpenalised.astype(np.int32), (len(sd), 1)), 1)[0])[:, 0]
    allowed = np.zeros(sd.shape[1], bool)
    allowed[: len(held)] = held
    allowed[unpenalised] = True
    none = np.zeros((len(sd), 1, 1))
    task = Task(
        view=replace(view, usable=view.usable & allowed[None]),
        sd=sd,
        lam1=none,
        lam2=none,
        penalties=pen,
        unpenalised=unpenalised,
        tol=np.full(len(sd), TOL),
        max_iter=PASSES,
        solver="coordinate",
    )
    step = solve_one(task)
    dense = np.zeros((len(sd), 1, sd.shape[1]))
    for s, columns in enumerate(step.columns):
        exists = columns < sd.shape[1]
        dense[s, 0, columns[exists]] = step.values[s, 0, exists]
    remainder = view.origin()[:, None] - view.explained(dense)
    return np.asarray(view.fit(remainder, dense).gradient)[:, 0]
