"""Where a fit stands in the (response, rho, alpha) grid of a sweep."""

from jaxnet.errors import InvalidInput
from jaxnet.scalars import is_whole


def grid_position(shape: tuple[int, ...], i: int, k: int, response: int | None, who: str) -> tuple[int, ...]:
    """The index of `rho[i]`, `alphas[i, k]` in arrays of `shape` (R, A), of one response in those of shape (q, R, A).

    Negative positions count from the end. Raises InvalidInput, naming `who` asks, outside the grid and for a response
    where there is one only, or none where there are several.
    """
    several = len(shape) == 3
    if (response is None) == several:
        swept = f"{shape[0]} responses" if several else "one response"
        raise InvalidInput(
            f"response={response!r}, but the sweep had {swept}; name a response exactly where there are several."
        )
    at = (i, k) if response is None else (response, i, k)
    for name, value, size in zip(("k", "i", "response"), at[::-1], shape[::-1], strict=False):
        if not is_whole(value):
            raise InvalidInput(f"{name}={value!r:.60}: {who} takes positions in the grid, whole numbers.")
        if not -size <= value < size:
            raise InvalidInput(f"{name}={value} is outside the grid, which has {size}.")
    return at
