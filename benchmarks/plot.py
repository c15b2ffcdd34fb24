"""A plot from results.json: `python -m benchmarks.plot RESULTS.json PLOT.png` (needs matplotlib)."""

import json
import sys
from pathlib import Path

COLOURS = {
    "jaxnet": "#d1495b",
    "scikit-learn": "#edae49",
    "glmnet": "#00798c",
    "adelie": "#30638e",
    "celer": "#8c6bb1",
    "skglm": "#7a9e7e",
}


def draw(results: dict, path: Path) -> None:
    """Warm seconds of every solver that met the gap, one row per workload, one panel per target; log axis."""
    from matplotlib.figure import Figure

    rows = [row for row in results["rows"] if row["status"] == "ok"]
    targets = list(dict.fromkeys(row["target"] for row in results["rows"]))
    names = list(dict.fromkeys(row["workload"] for row in results["rows"]))[::-1]
    figure = Figure(figsize=(6.0 * len(targets), 1.2 + 0.55 * len(names)), layout="constrained")
    for axis, target in zip(figure.subplots(1, len(targets), squeeze=False, sharey=True)[0], targets, strict=True):
        for solver in dict.fromkeys(row["solver"] for row in rows):
            own = [row for row in rows if row["solver"] == solver and row["target"] == target]
            size = 70 if solver == "jaxnet" else 35
            at = [names.index(row["workload"]) for row in own]
            axis.scatter([row["warm"] for row in own], at, s=size, label=solver, color=COLOURS.get(solver), zorder=3)
        axis.set(xscale="log", xlabel="warm seconds", title=f"worst relative gap at most {target:g}")
        axis.set_yticks(range(len(names)), names)
        axis.grid(True, which="both", axis="x", alpha=0.25)
        axis.grid(True, axis="y", alpha=0.5)
    figure.axes[-1].legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)
    figure.savefig(path, dpi=130)


if __name__ == "__main__":
    draw(json.loads(Path(sys.argv[1]).read_text()), Path(sys.argv[2]))
