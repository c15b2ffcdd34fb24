"""Where a walk stands between two knots, as arrays that can be kept, so that another process can go on from there."""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np

from jaxnet.errors import InvalidInput
from jaxnet.solver.between import Ends
from jaxnet.solver.rounds import Slots
from jaxnet.solver.task import Task
from jaxnet.solver.working_set import WorkingSet


class State(NamedTuple):
    """At a knot, `now`, and the one before, `old`; the slots hold the solutions of both, in this order."""

    slots: Slots
    now: Ends
    old: Ends


class Mark(NamedTuple):
    """The state at knot `last`, which followed knot `before` (None: there was none): all that the rest of the walk needs.

    Whoever goes on from its arrays takes the same steps, to the last bit, as whoever never stopped: nothing of it is
    computed anew, as products of other shapes would round differently.
    """

    state: State
    last: int
    before: int | None

    def arrays(self) -> dict[str, np.ndarray]:
        """Everything, on the host."""
        (slots, now, old), ws = self.state, self.state.slots.ws
        solution, previous = slots.solutions
        parts = {
            "knots": [self.last, -1 if self.before is None else self.before],
            "index": ws.index,
            "count": ws.count,
            "entries": ws.entries,
            "pinv": slots.pinv,
            "solution": solution,
            "gradient": now.gradient,
            "remainder": now.remainder,
            "old_solution": previous,
            "old_gradient": old.gradient,
            "old_remainder": old.remainder,
        }
        return {name: np.array(part) for name, part in parts.items()}

    @classmethod
    def of(cls, arrays: dict[str, np.ndarray], task: Task) -> "Mark":
        """The inverse of `arrays`; raises `InvalidInput` for such as cannot be this task's."""
        _check(arrays, task)
        index, count = arrays["index"].astype(np.int32), arrays["count"].astype(int)
        member = np.zeros((len(index), task.view.usable.shape[1] + 1), bool)  # an empty slot has index p
        np.put_along_axis(member, index, True, axis=1)
        # Copies: the device may take over the memory of what it is given.
        at = {name: jnp.array(part) for name, part in arrays.items() if part.dtype.kind == "f"}
        ws = WorkingSet(index, count, member[:, :-1].copy(), at["entries"], task.view.by_rows)
        slots = Slots(ws, at["pinv"], (at["solution"], at["old_solution"]))
        ends = (Ends(at[f"{old}gradient"], at[f"{old}remainder"]) for old in ("", "old_"))
        last, before = map(int, arrays["knots"])
        return cls(State(slots, *ends), last, None if before < 0 else before)


def _check(arrays: dict[str, np.ndarray], task: Task) -> None:
    """Refuse arrays whose shapes, dtypes or indices are not those of a walk through this task."""
    view, (sets, lanes, knots), free = task.view, task.lam1.shape, len(task.unpenalised)
    p, m = view.usable.shape[1], view.origin().shape[1]
    width = np.shape(arrays.get("index", ()))[-1:] or (0,)
    whole = {"knots": ((2,), -1, knots - 1), "index": ((sets, *width), 0, p), "count": ((sets,), 0, width[0])}
    real = {
        "entries": (sets, *width, view.y.shape[1] if view.by_rows else width[0]),
        "pinv": (sets, free, free),
        **dict.fromkeys(("solution", "old_solution"), (sets, lanes, *width)),
        **dict.fromkeys(("gradient", "old_gradient"), (sets, lanes, p)),
        **dict.fromkeys(("remainder", "old_remainder"), (sets, lanes, m)),
    }
    fits = arrays.keys() == {*whole, *real} and all(isinstance(array, np.ndarray) for array in arrays.values())
    fits = fits and all(
        arrays[name].shape == shape
        and (arrays[name].dtype == np.float64 or (name == "entries" and arrays[name].dtype == np.float32))
        for name, shape in real.items()
    )
    fits = fits and all(
        arrays[name].shape == shape and arrays[name].dtype.kind == "i" and _within(arrays[name], low, high)
        for name, (shape, low, high) in whole.items()
    )
    if not fits:
        raise InvalidInput("the store holds a walk that is not this sweep's: delete that run and begin it again.")


def _within(array: np.ndarray, low: int, high: int) -> bool:
    return bool(((array >= low) & (array <= high)).all())
