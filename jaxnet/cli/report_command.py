"""`jaxnet report`: a finished run as one page."""

import argparse
import os

from jaxnet.cli.chosen import simplest_of
from jaxnet.cli.console import note
from jaxnet.cli.finished_run import FinishedRun
from jaxnet.cli.interrupt import Check
from jaxnet.cli.one_file import check_page
from jaxnet.cli.run_folder import REPORT, model_file


def run(args: argparse.Namespace, check_interrupt: Check) -> None:
    """Carry out `jaxnet report` as `args` ask."""
    out = args.out or os.path.join(os.path.dirname(model_file(args.run)), REPORT)
    check_page(out, args.overwrite)
    done = FinishedRun.load(args)
    from jaxnet.report import write_report

    check_interrupt()
    data = done.summary.get("data", {})
    facts = [("data", str(data["source"]))] if "source" in data else []
    facts += [("target", str(done.model["target"]))]
    if done.X is None and "rows" in data:
        facts += [("rows", f"{data['rows']:,}")]
    if "seconds" in done.summary:
        facts += [("time", f"{done.summary['seconds']:.1f} s for {done.result.gap.size:,} fits")]

    def tell(what: str) -> None:
        check_interrupt()
        note(f"{what} ...", args.quiet)

    write_report(
        done.result,
        out,
        X=done.X,
        y=done.y,
        sample_weight=done.weights,
        rule=done.rule,
        percent=done.model["percent"],
        simplest=args.simplest or simplest_of(done.model),
        chosen=done.chosen(args.simplest),
        sd=done.sd,
        title=args.title or f"{done.model['target']} from {data.get('source', 'a table')}",
        facts=facts,
        tell=tell,
    )
    note(f"wrote {out}.", args.quiet)
