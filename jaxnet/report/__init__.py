"""A sweep, or the missing values of a table, on one self-contained page of HTML."""

from jaxnet.report.page import write_missing_report, write_report

__all__ = ["write_missing_report", "write_report"]
