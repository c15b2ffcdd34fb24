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
from jaxnet.missing.analysis.patterns import MissingPatterns
from jaxnet.report.content import Content, Source, Tell, gather
from jaxnet.report.missing import missing_section, section_of
from jaxnet.selection.rules import check_simplest

TEMPLATES = ("layout.html.j2", "page.html.j2", "missing.html.j2", "missing_page.html.j2")


def write_report(
    result: Any,
    path: str | PathLike,
    *,
    X: Any = None,
    y: Any = None,
    sample_weight: Any = None,
    rule: str = "min",
    percent: float = 5.0,
    simplest: str | None = None,
    response: int | None = None,
    sd: Any = None,
    chosen: dict[str, Any] | None = None,
    title: str = "Elastic-net sweep",
    facts: list[tuple[str, str]] | None = None,
    tell: Tell = lambda what: None,
) -> None:
    """`SweepResult.to_html`, whose docstring says what the arguments mean; `sd`, `chosen`
    (by rule, each `BestFit` that was chosen before, which the page shows throughout) and `facts` are for finished runs.
    `tell` hears what comes next, where that may take long.

    The file appears whole or not at all. Raises InvalidInput for wrong arguments and without jinja2 or matplotlib.
    """
    _check_title(title)
    check_simplest(simplest)
    how = {"rule": rule, "percent": percent, "simplest": simplest, "chosen": chosen or {}}
    source = Source.of(result, X, y, sample_weight, **how, response=response, sd=sd, tell=tell)
    page = render_page(gather(source, title, facts or [], None if X is None else section_of(X), tell))
    with atomic_file(path) as file:
        file.write(page.encode("utf-8"))


def write_missing_report(found: MissingPatterns, path: str | PathLike, *, title: str = "Missing values") -> None:
    """The missing values of a table on one page of HTML that needs nothing else.

    The file appears whole or not at all. Raises InvalidInput for another title than a text, and without jinja2 or matplotlib.
    """
    _check_title(title)
    page = _render("missing_page.html.j2", title, missing=missing_section(found))
    with atomic_file(path) as file:
        file.write(page.encode("utf-8"))


def render_page(content: Content) -> str:
    """The HTML of a sweep."""
    return _render("page.html.j2", content.title, content=content)


def _check_title(title: Any) -> None:
    if not isinstance(title, str) or not title.strip():
        raise InvalidInput(f"title={title!r:.60} must be a text.")


def _render(template: str, title: str, **parts: Any) -> str:
    """The HTML. Its script is allowed by its hash, and no other: a name that got through would still not run."""
    try:
        from jinja2 import DictLoader, Environment, StrictUndefined
    except ImportError:
        raise InvalidInput(
            "A report needs jinja2, which is not installed: pip install 'jaxnet-elasticnet[report]'."
        ) from None
    text = {name: get_data("jaxnet.report", name).decode("utf-8") for name in (*TEMPLATES, "page.css", "page.js")}
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, loader=DictLoader(text)
    )
    digest = lambda name: base64.b64encode(hashlib.sha256(text[name].encode()).digest()).decode()
    return environment.get_template(template).render(
        title=title,
        version=__version__,
        made=datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z"),
        style=text["page.css"],
        script=text["page.js"],
        style_hash=digest("page.css"),
        script_hash=digest("page.js"),
        image=lambda data: "data:image/png;base64," + base64.b64encode(data).decode(),
        **parts,
    )
