"""Draws the chart of the peers' benchmark: `python -m bench.chart results.json bench/columns.svg`.

It reads the output of `--json` and draws the medians of all rounds, one panel for each column, the best first.
"""

import json
import statistics
import sys
from pathlib import Path
from xml.sax.saxutils import escape

COLUMNS = {
    "accept_rps": ("accept, requests/s", True),
    "e2e_jobs_s": ("end to end, jobs/s", True),
    "drain_jobs_s": ("drain of a full queue, jobs/s", True),
    "lat_p50": ("one job at a time, median, ms", False),
    "pss_mb": ("memory of API and workers, MB", False),
}
"""Key in the results: title, and whether more is better."""
NAMES = {
    "errand": "Errand",
    "celery-safe": "Celery, acks late + confirms",
    "dramatiq-safe": "Dramatiq, confirms",
    "dramatiq": "Dramatiq, defaults",
    "rq-fork": "RQ",
    "rq-simple": "RQ, no fork",
    "arq": "FastAPI + arq",
    "taskiq": "FastAPI + taskiq",
    "flask-nameko": "flask_nameko",
}
WIDTH, LABELS, VALUES, ROW, HEAD, GAP = 720, 200, 70, 20, 28, 14
LONGEST = 12
"""Multiple of the best value at which a bar is cut off, if less is better."""
STYLE = """
text { font: 13px system-ui, sans-serif; fill: #24292f } .head { font-weight: 600 } .mine { font-weight: 600 }
rect { fill: #afb8c1 } rect.mine { fill: #0969da }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3 } rect { fill: #57606a } rect.mine { fill: #4493f8 } }
"""


def medians(path: Path) -> dict[str, dict[str, float]]:
    """Read the figures: contestant to column to median."""
    rounds = json.loads(path.read_text("utf-8"))["rounds"]
    good = {name: [each for each in results if "error" not in each] for name, results in rounds.items()}
    return {
        name: {column: statistics.median(each[column] for each in results) for column in COLUMNS}
        for name, results in good.items()
        if results
    }


def panel(column: str, figures: dict[str, dict[str, float]], top: int) -> list[str]:
    """Draw one column, the best first."""
    title, more_is_better = COLUMNS[column]
    rows = sorted(((each[column], name) for name, each in figures.items()), reverse=more_is_better)
    most = max(value for value, _ in rows)
    note = "more is better" if more_is_better else "less is better"
    if not more_is_better and most > LONGEST * rows[0][0]:
        most = LONGEST * rows[0][0]  # one very slow contestant would shrink all other bars to stubs
        note += "; the longest is cut off"
    drawn = [f'<text class="head" x="0" y="{top + 16}">{escape(title)} ({note})</text>']
    for number, (value, name) in enumerate(rows):
        y = top + HEAD + number * ROW
        mine = ' class="mine"' if name == "errand" else ""
        length = max(2.0, (WIDTH - LABELS - VALUES) * min(1.0, value / most))
        text = f"{value:.1f}" if value < 100 else f"{value:,.0f}"
        drawn += [
            f'<text{mine} x="{LABELS - 8}" y="{y + 13}" text-anchor="end">{escape(NAMES.get(name, name))}</text>',
            f'<rect{mine} x="{LABELS}" y="{y + 2}" width="{length:.1f}" height="{ROW - 5}" rx="2"/>',
            f'<text{mine} x="{LABELS + length + 6:.1f}" y="{y + 13}">{text}</text>',
        ]
    return drawn


def chart(figures: dict[str, dict[str, float]]) -> str:
    """Draw all columns, one below the other."""
    height = HEAD + len(figures) * ROW + GAP
    parts = [text for number, column in enumerate(COLUMNS) for text in panel(column, figures, number * height)]
    total = height * len(COLUMNS)
    size = f'viewBox="0 0 {WIDTH} {total}" width="{WIDTH}" height="{total}"'
    head = f"<title>Errand beside its peers, in one run</title><style>{STYLE}</style>"
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">{head}{"".join(parts)}</svg>\n'


def main() -> int:
    """Read, draw, write."""
    source, target = map(Path, sys.argv[1:])
    target.write_text(chart(medians(source)), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
