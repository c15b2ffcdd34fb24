"""The page: content into a template, every name escaped, nothing fetched from anywhere."""

import base64
import hashlib
from datetime import datetime
from os import PathLike
from pkgutil import get_data
from typing import Any

from jaxnet import __version__
from jaxnet.data.atomic import atomic_file
from jaxnet.errors import InvalidInput
from jaxnet.report.content import Content, Source, gather


def write_report(
    result: Any,
    path: str | PathLike,
    *,
    X: Any = None,
    y: Any = None,
    sample_weight: Any = None,
    rule: str = "min",
    percent: float = 5.0,
    response: int | None = None,
    sd: Any = None,
    kept: Any = None,
    title: str = "Elastic-net sweep",
    facts: list[tuple[str, str]] | None = None,
) -> None:
    """`SweepResult.to_html`, whose docstring says what the arguments mean; `sd`, `kept`
    (the `BestFit` to show, in place of what `rule` chooses) and `facts` are for callers without X.

    The file appears whole or not at all. Raises InvalidInput for wrong arguments and without jinja2 or matplotlib.
    """
    if not isinstance(title, str) or not title.strip():
        raise InvalidInput(f"title={title!r:.60} must be a text.")
    rule = rule if kept is None else kept.rule
    source = Source.of(result, X, y, sample_weight, rule=rule, percent=percent, response=response, sd=sd)
    page = render_page(gather(source, title, facts or [], kept))
    with atomic_file(path) as file:
        file.write(page.encode("utf-8"))


def render_page(content: Content) -> str:
    """The HTML. Its script is allowed by its hash, and no other: a name that got through would still not run."""
    try:
        from jinja2 import Environment, StrictUndefined
    except ImportError:
        raise InvalidInput(
            "A report needs jinja2, which is not installed: pip install 'jaxnet-elasticnet[report]'."
        ) from None
    text = {name: get_data("jaxnet.report", name).decode("utf-8") for name in ("page.html.j2", "page.css", "page.js")}
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    digest = lambda name: base64.b64encode(hashlib.sha256(text[name].encode()).digest()).decode()
    return environment.from_string(text["page.html.j2"]).render(
        content=content,
        version=__version__,
        made=datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z"),
        style=text["page.css"],
        script=text["page.js"],
        style_hash=digest("page.css"),
        script_hash=digest("page.js"),
        image=lambda data: "data:image/png;base64," + base64.b64encode(data).decode(),
    )
