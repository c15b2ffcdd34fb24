"""What the path walker is asked, and what it hands back."""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from jaxtyping import Array, Bool, Float, Int

from jaxnet.solver.certificate import Certificate, Penalties
from jaxnet.solver.independence import Independence
from jaxnet.solver.support import NOTHING
from jaxnet.solver.view import View


class Status:
    """Outcome codes of a lane (result.Status names them for users)."""

    CONVERGED, MAX_ITER, DIVERGED, DEGENERATE = range(4)


def status_of(gap: np.ndarray, tol, idle) -> Int[np.ndarray, "..."]:
    """The outcomes of fits of these gaps; `idle`: y or X do not vary, so that all that a fit can be is trivial."""
    reached = gap <= tol
    status = np.where(reached, Status.CONVERGED, np.where(np.isfinite(gap), Status.MAX_ITER, Status.DIVERGED))
    return np.where(idle & reached, Status.DEGENERATE, status)


@dataclass(frozen=True)
class Task:
    """What to solve for a chunk of S sets with L lanes each, along A alphas, of which the first `skip` are a lead-in."""

    view: View
    sd: Float[Array, "S p"]
    lam1: Float[np.ndarray, "S L A"]
    lam2: Float[np.ndarray, "S L A"]
    penalties: Penalties
    """factors and bounds; its strengths are replaced along the path"""
    unpenalised: Int[np.ndarray, " u"]
    tol: Float[np.ndarray, " S"]
    max_iter: int
    solver: str
    skip: int = 0
    exact: bool = False
    """whether fits go to their minimum, as far as rounding tells, and not only to `tol` (active_set.py)"""
    independence: Independence = field(default_factory=Independence)
    """what the walk has found out"""

    @property
    def strength(self) -> Float[np.ndarray, "S L A"]:
        """Proportional to alpha in every lane."""
        return self.lam1 + self.lam2

    @property
    def nothing(self) -> Float[np.ndarray, " S"]:
        """The change of an objective that is none beside `tol`."""
        return NOTHING * self.tol * 0.5 * np.asarray(self.view.moment)

    def at(self, k: int) -> Penalties:
        """The penalties at alpha k."""
        return self.penalties._replace(lam1=self.lam1[:, :, k], lam2=self.lam2[:, :, k])

    def along(self, ks: Int[np.ndarray, " F"]) -> Penalties:
        """The penalties at several alphas, alpha by alpha in the lanes: strengths (S, F L)."""
        flat = lambda x: np.moveaxis(x[:, :, ks], 2, 1).reshape(len(x), -1)
        return self.penalties._replace(lam1=flat(self.lam1), lam2=flat(self.lam2))


class Step(NamedTuple):
    """The certified fits of one alpha, on the host. `columns` and `values` are the slots of each set, (S, W), (S, L, W)."""

    alpha: int
    gap: Float[np.ndarray, "S L"]
    kkt: Float[np.ndarray, "S L"]
    iterations: Int[np.ndarray, "S L"]
    status: Int[np.ndarray, "S L"]
    test_error: Float[np.ndarray, "S L"]
    columns: Int[np.ndarray, "S W"]
    values: Float[np.ndarray, "S L W"]

    def part(self, sets: Bool[np.ndarray, " S"], lanes: Bool[np.ndarray, " L"]) -> "Step":
        """The same for some of the sets and lanes."""
        cut = lambda x: x[sets][:, lanes]
        figures = (cut(x) for x in (self.gap, self.kkt, self.iterations, self.status, self.test_error))
        return Step(self.alpha, *figures, self.columns[sets], cut(self.values))


class Figures(NamedTuple):
    """What is known of certified fits, on the host: L lanes of one alpha, or of several one after the other."""

    gap: Float[np.ndarray, "S L"]
    kkt: Float[np.ndarray, "S L"]
    test_error: Float[np.ndarray, "S L"]
    passes: Int[np.ndarray, "S L"]

    @classmethod
    def of(cls, seal: Certificate, passes: Int[np.ndarray, "S L"]) -> "Figures":
        return cls(*(np.array(x) for x in (seal.gap, seal.kkt, seal.test_error)), passes)


def report(task: Task, k: int, figures: Figures, columns: Int[np.ndarray, "S W"], values: Array) -> Step:
    """A step with the status that the gaps give."""
    gap, kkt, test_error, passes = figures
    idle = (np.asarray(task.view.moment) <= 0) | ~np.asarray(task.view.usable).any(axis=1)
    status = status_of(gap, task.tol[:, None], idle[:, None])
    return Step(k - task.skip, gap, kkt, passes, status, test_error, columns, np.asarray(values))
