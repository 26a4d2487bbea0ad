#!/usr/bin/env python3
"""Writes what bench/run measured into docs/performance.md, between its markers, and draws
docs/performance.svg: report.py [RESULTS.jsonl]. Of several measurements of a network the last
counts."""
import json
import math
import pathlib
import re
import sys

from networks import NETWORKS, ROOT, WORK
from systems import SYSTEMS

OTHERS = [system for system in SYSTEMS if system != "netc"]


def load(path):
    results = {}
    for line in pathlib.Path(path).read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        if "netc" in entry["systems"] and len(entry["systems"]) > 1:
            results[entry["network"], entry["threads"]] = entry
    return results


def ratio(entry, system):
    """Its time as a multiple of netc's; None where it did not run."""
    systems = entry["systems"]
    return systems[system]["median_ms"] / systems["netc"]["median_ms"] if system in systems else None


def fastest(entry):
    return min(ratio(entry, system) for system in OTHERS if system in entry["systems"])


def mean(values):
    values = [value for value in values if value]
    return math.exp(sum(map(math.log, values)) / len(values)) if values else None


def number(value):
    return f"{value:.2f}" if value else "-"


def milliseconds(value):
    if value >= 1000:
        return f"{value / 1000:.3g} s"
    return f"{value:.3g} ms" if value >= 1 else f"{value * 1000:.3g} us"


def table(results, threads):
    rows = [results[name, threads] for name in NETWORKS if (name, threads) in results]
    if not rows:
        return ""
    head = ["network", "netc", "of the peak", *(SYSTEMS[system].name for system in OTHERS), "fastest other", "error"]
    lines = [f"### {threads} thread{'s' if threads > 1 else ''}", "", "| " + " | ".join(head) + " |",
             "|" + "---|" * len(head)]
    for entry in rows:
        netc = entry["systems"]["netc"]
        share = 2e-6 * entry["macs"] / netc["median_ms"] / entry["peak_gflops"]
        cells = [entry["network"], milliseconds(netc["median_ms"]), f"{share:.0%}",
                 *(number(ratio(entry, system)) for system in OTHERS), f"**{fastest(entry):.2f}**", f"{netc['error']:.0e}"]
        lines.append("| " + " | ".join(cells) + " |")
    main = [entry for entry in rows if NETWORKS[entry["network"]].main]
    for what, part in (("geometric mean of the first ten", main), ("geometric mean of all", rows)):
        cells = [what, "", "", *(number(mean(ratio(entry, system) for entry in part)) for system in OTHERS),
                 f"**{mean(map(fastest, part)):.2f}**", ""]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


# ---- the picture ----------------------------------------------------------------------------------

COLOURS = {"ort": "#8c6bb1", "openvino": "#41ab5d", "ncnn": "#fe9929", "litert": "#4292c6", "inductor": "#969696"}
LEFT, WIDTH, BAR, TOP = 150, 560, 7, 54
SHOWN = 4.0  # ratios beyond are cut, with their number beside


def drawing(results, threads):
    """Bars: how many times netc's time each system takes, a group for each network."""
    rows = [results[name, threads] for name in NETWORKS if (name, threads) in results]
    group = len(OTHERS) * BAR + 10
    height = TOP + len(rows) * group + 20
    scale = lambda value: LEFT + WIDTH * min(value, SHOWN) / SHOWN
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {LEFT + WIDTH + 50} {height}" '
           'font-family="sans-serif" font-size="11">', '<rect width="100%" height="100%" fill="#ffffff"/>',
           f'<text x="{LEFT}" y="16" font-size="13">Time as a multiple of netc\'s, {threads} '
           f'thread{"s" if threads > 1 else ""} (right of the line: netc is faster)</text>']
    for i, system in enumerate(OTHERS):
        x = LEFT + i * 112
        out.append(f'<rect x="{x}" y="24" width="10" height="10" fill="{COLOURS[system]}"/>'
                   f'<text x="{x + 14}" y="33">{SYSTEMS[system].name}</text>')
    for tick in range(int(SHOWN) + 1):
        out.append(f'<line x1="{scale(tick)}" x2="{scale(tick)}" y1="{TOP - 4}" y2="{height - 16}" '
                   f'stroke="{"#222222" if tick == 1 else "#dddddd"}"/>'
                   f'<text x="{scale(tick)}" y="{height - 4}" text-anchor="middle">{tick}</text>')
    for row, entry in enumerate(rows):
        y = TOP + row * group
        out.append(f'<text x="{LEFT - 8}" y="{y + group / 2}" text-anchor="end">{entry["network"]}</text>')
        for i, system in enumerate(OTHERS):
            value = ratio(entry, system)
            if not value:
                continue
            top = y + i * BAR
            out.append(f'<rect x="{LEFT}" y="{top}" width="{scale(value) - LEFT:.1f}" height="{BAR - 1}" '
                       f'fill="{COLOURS[system]}"><title>{SYSTEMS[system].name} {value:.2f}</title></rect>')
            if value > SHOWN:
                out.append(f'<text x="{scale(value) + 3}" y="{top + BAR - 1}" font-size="8">{value:.0f}</text>')
    return "\n".join(out) + "\n</svg>\n"


def main():
    results = load(sys.argv[1] if sys.argv[1:] else WORK / "results.jsonl")
    page = ROOT / "docs/performance.md"
    begin, end = "<!-- measured -->\n", "<!-- end -->\n"
    text = page.read_text(encoding="utf-8")
    tables = "\n".join(filter(None, (table(results, threads) for threads in (1, 2))))
    text = re.sub(f"{begin}.*{end}", lambda _: begin + tables + end, text, flags=re.S)
    page.write_text(text, encoding="utf-8")
    (ROOT / "docs/performance.svg").write_text(drawing(results, 1), encoding="utf-8")


main()
