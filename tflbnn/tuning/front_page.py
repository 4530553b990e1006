"""front.html: the trials of a search in one self-contained page; what a dot is shows when it is pointed at."""

from __future__ import annotations

import html
import json
import math
import os
from collections.abc import Sequence

from tflbnn._files import atomic_write
from tflbnn.tuning.objectives import OBJECTIVES, amount
from tflbnn.tuning.plot import COSTS
from tflbnn.tuning.results import COMPLETED, Baseline, Row, short_keys, text

WIDTH, HEIGHT = 720, 420
LEFT, RIGHT, TOP, BOTTOM = 56, 20, 14, 44


def write_front(
    rows: Sequence[Row],
    baselines: Sequence[Baseline],
    objectives: Sequence[str],
    title: str,
    path: str | os.PathLike[str],
) -> None:
    """Writes the page: a chart for each cost, and the table of the front.

    Raises:
        UserError: the file cannot be written.
    """
    completed = [row for row in rows if row.status == COMPLETED]
    costs = [name for name in objectives if name != "accuracy"] or ["size"]
    charts = "".join(_chart(completed, baselines, cost, costs) for cost in costs)
    atomic_write(
        path,
        f'<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width,initial-scale=1"><title>{html.escape(title)}</title>'
        f"<style>{_STYLE}</style></head><body><main><h1>{html.escape(title)}</h1>"
        '<p class="key"><span class="dot front"></span>Pareto front <span class="dot"></span>other trials '
        '<span class="square"></span>networks that are not binary</p>'
        f'{charts}{_table(completed, baselines, costs)}</main><div id="tip" role="status"></div>'
        f"<script>{_SCRIPT}</script></body></html>\n",
    )


def describe(row: Row | Baseline, costs: Sequence[str]) -> list[str]:
    """What is shown of a trial or a baseline, a line each: its name, what it reached, its settings."""
    known = [cost for cost in costs if getattr(row, OBJECTIVES[cost][0]) is not None]
    reached = ", ".join(amount(cost, getattr(row, OBJECTIVES[cost][0])) for cost in known)
    lines = [row.name if isinstance(row, Baseline) else f"trial {row.trial}", f"{row.val_accuracy:.2%}, {reached}"]
    if isinstance(row, Row):
        names = short_keys(list(row.values))
        lines += [f"{names[key]} = {text(value)}" for key, value in row.values.items()]
    return lines


class _Scale:
    """From values to pixels; logarithmic for costs."""

    def __init__(self, values: Sequence[float], start: float, end: float, log: bool) -> None:
        self.log, self.start, self.end = log, start, end
        self.low, self.high = self._of(min(values)), self._of(max(values))
        room = 0.06 * (self.high - self.low) or 0.05
        self.low, self.high = self.low - room, self.high + room

    def _of(self, value: float) -> float:
        return math.log10(value) if self.log else value

    def __call__(self, value: float) -> float:
        share = (self._of(value) - self.low) / (self.high - self.low)
        return round(self.start + share * (self.end - self.start), 1)

    def ticks(self) -> list[float]:
        """Round values inside."""
        if self.log:
            decades = range(math.floor(self.low) - 1, math.ceil(self.high) + 1)
            every = [digit * 10.0**decade for decade in decades for digit in (1, 2, 5)]
            return [value for value in every if self.low <= math.log10(value) <= self.high]
        step = 10 ** math.floor(math.log10((self.high - self.low) / 2))
        step *= next(factor for factor in (1, 2, 5, 10) if (self.high - self.low) / (factor * step) <= 7)
        first = math.ceil(self.low / step)
        return [round(number * step, 10) for number in range(first, math.floor(self.high / step) + 1)]


def _chart(completed: Sequence[Row], baselines: Sequence[Baseline], cost: str, costs: Sequence[str]) -> str:
    metric, (label, unit) = OBJECTIVES[cost][0], COSTS[cost]
    shown = [row for row in (*completed, *baselines) if getattr(row, metric) is not None]
    x = _Scale([getattr(row, metric) / unit for row in shown], LEFT, WIDTH - RIGHT, True)
    y = _Scale([100 * row.val_accuracy for row in shown], HEIGHT - BOTTOM, TOP, False)
    parts = []
    for value in y.ticks():
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(value)}" y2="{y(value)}"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y(value) + 4}" text-anchor="end">{value:g}</text>')
    for value in x.ticks():
        parts.append(f'<line class="grid" y1="{TOP}" y2="{HEIGHT - BOTTOM}" x1="{x(value)}" x2="{x(value)}"/>')
        parts.append(f'<text x="{x(value)}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{value:g}</text>')
    parts.append(f'<text x="{(LEFT + WIDTH) / 2}" y="{HEIGHT - 6}" text-anchor="middle">{label}</text>')
    # The front last, so that nothing covers it.
    for row in sorted(shown, key=lambda row: isinstance(row, Row) and row.pareto):
        at = x(getattr(row, metric) / unit), y(100 * row.val_accuracy)
        lines = describe(row, costs)
        said = f'tabindex="0" role="img" aria-label="{html.escape("; ".join(lines))}"'
        said += f' data-tip="{html.escape(json.dumps(lines))}"'
        if isinstance(row, Baseline):
            parts.append(f'<rect {said} class="base" x="{at[0] - 5}" y="{at[1] - 5}" width="10" height="10"/>')
        else:
            kind = "trial front" if row.pareto else "trial"
            parts.append(f'<circle {said} class="{kind}" cx="{at[0]}" cy="{at[1]}" r="{6 if row.pareto else 5}"/>')
    return (
        f"<figure><figcaption>Validation accuracy in % against {html.escape(cost)}</figcaption>"
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}">{"".join(parts)}</svg></figure>'
    )


def _table(completed: Sequence[Row], baselines: Sequence[Baseline], costs: Sequence[str]) -> str:
    front = sorted((row for row in completed if row.pareto), key=lambda row: row.val_accuracy)
    heads = "".join(f"<th>{head}</th>" for head in ("network", "accuracy", *costs, "settings"))
    body = []
    for row in (*front, *baselines):
        name, _, *settings = describe(row, costs)
        cells = [getattr(row, OBJECTIVES[cost][0]) for cost in costs]
        amounts = "".join(f"<td>{'' if v is None else amount(c, v)}</td>" for c, v in zip(costs, cells, strict=True))
        body.append(
            f"<tr><th>{html.escape(name)}</th><td>{row.val_accuracy:.2%}</td>{amounts}"
            f"<td>{html.escape(', '.join(settings))}</td></tr>"
        )
    return f'<div class="scroll"><table><thead><tr>{heads}</tr></thead><tbody>{"".join(body)}</tbody></table></div>'


_STYLE = """
:root{--page:#f5f6f8;--card:#fff;--ink:#161a20;--soft:#59616e;--line:#e0e4ea;--dot:#1d5fd1;--front:#b4470f;
--base:#59616e;color-scheme:light dark}
@media (prefers-color-scheme:dark){:root{--page:#0f1217;--card:#171b22;--ink:#e7eaf0;--soft:#9ca6b5;--line:#2a303a;
--dot:#7fb0ff;--front:#f5a267;--base:#9ca6b5}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,
"Liberation Sans",Arial,sans-serif;font-variant-numeric:tabular-nums}
main{max-width:860px;margin:0 auto;padding:28px 20px 60px}
h1{font-size:24px;line-height:1.2;margin:0 0 8px;overflow-wrap:anywhere}
.key{color:var(--soft);margin:0 0 12px;font-size:13px}
.dot,.square{display:inline-block;width:10px;height:10px;border-radius:9px;background:var(--dot);margin:0 5px 0 12px}
.dot.front{background:var(--front);margin-left:0}.square{border-radius:2px;background:var(--base)}
figure,.scroll{background:var(--card);border:1px solid var(--line);border-radius:12px;margin:0 0 16px;padding:14px}
figcaption{font-weight:620;font-size:14px;margin-bottom:6px}
svg{display:block;width:100%;height:auto}
svg text{font-size:12px;fill:var(--soft)}
.grid{stroke:var(--line)}
.trial{fill:var(--dot);fill-opacity:.75;stroke:var(--card)}.trial.front{fill:var(--front);fill-opacity:1}
.base{fill:var(--base);stroke:var(--card)}
[data-tip]:hover,[data-tip]:focus{stroke:var(--ink);stroke-width:2;outline:0}
.scroll{overflow-x:auto;padding:0}
table{border-collapse:collapse;width:100%;font-size:13.5px}
th,td{padding:6px 12px;text-align:left;border-top:1px solid var(--line);white-space:nowrap}
td:last-child{white-space:normal;min-width:180px}
thead th{border-top:0;color:var(--soft)}
#tip{position:absolute;pointer-events:none;background:var(--ink);color:var(--page);border-radius:8px;padding:7px 11px;
font-size:13px;line-height:1.45;max-width:280px;visibility:hidden}
#tip b{display:block}
"""
_SCRIPT = """
const tip = document.getElementById("tip");
function show(event) {
  const lines = JSON.parse(event.target.dataset.tip);
  tip.replaceChildren(...lines.map((line, index) => {
    const part = document.createElement(index ? "div" : "b");
    part.textContent = line;
    return part;
  }));
  const dot = event.target.getBoundingClientRect(), own = tip.getBoundingClientRect();
  const left = Math.min(Math.max(8, dot.left + dot.width / 2 - own.width / 2), innerWidth - own.width - 8);
  const above = dot.top > own.height + 12;
  tip.style.left = left + scrollX + "px";
  tip.style.top = (above ? dot.top - own.height - 8 : dot.bottom + 8) + scrollY + "px";
  tip.style.visibility = "visible";
}
for (const dot of document.querySelectorAll("[data-tip]")) {
  for (const name of ["pointerenter", "focus"]) dot.addEventListener(name, show);
  for (const name of ["pointerleave", "blur"]) dot.addEventListener(name, () => { tip.style.visibility = "hidden"; });
}
"""
