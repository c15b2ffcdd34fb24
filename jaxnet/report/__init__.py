"""A sweep on one self-contained page of HTML."""

from jaxnet.report.page import write_report

__all__ = ["write_report"]
