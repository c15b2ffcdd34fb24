"""Pictures as bytes, drawn without a window."""

from collections.abc import Callable
from io import BytesIO
from typing import Any, NamedTuple

from jaxnet.errors import InvalidInput

FORMATS = ("png", "svg", "pdf")


class Picture(NamedTuple):
    """An image (PNG) with its title and the sentence under it."""

    title: str
    caption: str
    image: bytes


def render(draw: Callable[[Any], Any], *, width: float = 7.0, height: float = 4.5, format: str = "png") -> bytes:
    """What `draw(ax)` draws on new axes, as an image: width x height inches, 160 dots per inch where there are dots.

    Raises InvalidInput without matplotlib, or for another format than those of `FORMATS`.
    """
    if format not in FORMATS:
        raise InvalidInput(f"format={format!r} is not known; choose one of {', '.join(FORMATS)}.")
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        raise InvalidInput(
            "Pictures need matplotlib, which is not installed: pip install 'jaxnet-elasticnet[plots]'."
        ) from None
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    draw(figure.subplots())
    image = BytesIO()
    dates = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(format)
    figure.savefig(image, format=format, dpi=160, metadata=dates)
    return image.getvalue()
