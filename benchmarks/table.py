"""A Markdown table from results.json: `python -m benchmarks.table RESULTS.json`. Ratios compare rows of that one run."""

import json
import sys
from pathlib import Path

SUBJECT = "jaxnet"


def markdown(results: dict) -> str:
    """One table per target, the machine and the versions below."""
    rows = results["rows"]
    targets = list(dict.fromkeys(row["target"] for row in rows))
    parts = [_table([row for row in rows if row["target"] == target], target) for target in targets]
    return "\n\n".join([*parts, _notes(results)])


def ratio(rows: list[dict]) -> tuple[float, str] | None:
    """How many times faster (warm) jaxnet is than the fastest peer that meets the gap, and which that is; None if unknown."""
    ok = {row["solver"]: row["warm"] for row in rows if row["status"] == "ok"}
    subject = ok.pop(SUBJECT, None)
    if subject is None or not ok:
        return None
    peer = min(ok, key=ok.__getitem__)
    return ok[peer] / subject, peer


def _table(rows: list[dict], target: float) -> str:
    solvers = list(dict.fromkeys(row["solver"] for row in rows))
    names = list(dict.fromkeys(row["workload"] for row in rows))
    head = ["workload", *(f"{s} warm (cold)" for s in solvers), "jaxnet is faster than the fastest peer by"]
    lines = [
        f"Worst relative gap at most {target:g}; seconds.",
        "",
        "| " + " | ".join(head) + " |",
        "|---" * len(head) + "|",
    ]
    for name in names:
        cells = {row["solver"]: row for row in rows if row["workload"] == name}
        found = ratio(list(cells.values()))
        verdict = f"{found[0]:.2f}x ({found[1]})" if found else "-"
        body = [_cell(cells[s]) if s in cells else "-" for s in solvers]
        lines.append("| " + " | ".join([name, *body, verdict]) + " |")
    return "\n".join(lines)


def _cell(row: dict) -> str:
    if "warm" not in row:
        return row["status"] if row["status"] == "not installed" else row["message"]
    text = f"{_seconds(row['warm'])} ({_seconds(row['cold'])})"
    if row["timed_responses"] < row["all_responses"]:
        text += " [scaled]"
    if row["warm_is_first_call"]:
        text += " [first call]"
    return text if row["status"] == "ok" else f"{text} MISSED: gap {row['worst_gap']:.1e}"


def _seconds(seconds: float) -> str:
    return f"{seconds:.3g}" if seconds < 100 else f"{seconds:.0f}"


def _notes(results: dict) -> str:
    rows, box = results["rows"], results["machine"]
    lines = [
        f"{box['processor']}, {results['threads']} cores, {box['memory_gib']} GiB, {box['system']}; every solver on all cores."
    ]
    versions = {row["solver"]: row["versions"] for row in rows if "versions" in row}
    lines += [f"- {name}: " + ", ".join(f"{k} {v}" for k, v in found.items()) for name, found in versions.items()]
    missing = {row["solver"]: row["message"] for row in rows if row["status"] == "not installed"}
    lines += [f"- {name} is not installed: {message}" for name, message in missing.items()]
    scaled = {(row["timed_responses"], row["all_responses"]) for row in rows if "warm" in row}
    lines += [
        f"- [scaled]: the first {part} of {whole} responses were timed (this solver takes one at a time), times {whole / part:g}."
        for part, whole in sorted(scaled)
        if part < whole
    ]
    if any(row.get("warm_is_first_call") for row in rows):
        lines.append(
            "- [first call]: too slow to be called again within the run's patience; the first call's own seconds."
        )
    peaks: dict[str, dict[str, int]] = {}
    for row in rows:
        if row.get("peak_bytes"):
            mine = peaks.setdefault(f"{row['workload']} (MiB; X itself is {row['x_bytes'] / 2**20:,.0f})", {})
            mine[row["solver"]] = max(row["peak_bytes"], mine.get(row["solver"], 0))
    for where, found in peaks.items():
        used = ", ".join(f"{solver} {peak / 2**20:,.0f}" for solver, peak in found.items())
        lines.append(f"- peak memory on {where}: {used}")
    return "\n".join(lines)


if __name__ == "__main__":
    print(markdown(json.loads(Path(sys.argv[1]).read_text())))
