"""Checks that dashboards and alert rules ask only for metrics that docs/METRICS.md documents, with labels that they have.

    python3 scripts/check_dashboards.py

Prints every finding and ends with status 1 if there is one. Queries themselves are parsed by promtool (scripts/contracts.sh):
this writes those of the dashboards to the file that DASHBOARD_RULES names, as a file of recording rules.
"""

import json
import os
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
METRICS = ROOT / "docs/METRICS.md"
DASHBOARDS = ROOT / "deploy/grafana/dashboards"
ALERTS = ROOT / "deploy/prometheus/alerts.yml"

# Given by Prometheus, not by us.
FOREIGN_LABELS = {"instance", "job", "le"}
WINDOWS = {"$__rate_interval": "1m", "$instance": ".*"}


def documented():
    row = re.compile(r"^\| `(headroom_\w+)` \| (\w+) \| [^|]* \| ([^|]*) \|", re.M)
    return {name: (kind, set(re.findall(r"`(\w+)`", labels))) for name, kind, labels in row.findall(METRICS.read_text())}


def series_of(known):
    """Names as Prometheus stores them: a histogram is three."""
    series = {}
    for name, (kind, labels) in known.items():
        for suffix in ("_bucket", "_sum", "_count") if kind == "histogram" else ("",):
            series[name + suffix] = labels
    return series


def queries():
    for path in sorted(DASHBOARDS.glob("*.json")):
        dashboard = json.loads(path.read_text())
        ids = [panel["id"] for panel in dashboard["panels"]]
        if len(set(ids)) != len(ids):
            yield path.name, None, "two panels have one id"
        for panel in dashboard["panels"]:
            if panel["type"] != "row" and not panel.get("targets"):
                yield path.name, panel["title"], "no query"
            for target in panel.get("targets", []):
                yield path.name, panel["title"], target["expr"]
    for expression in re.findall(r"expr:((?: \|\n(?:        .*\n)+)|.*\n)", ALERTS.read_text()):
        yield ALERTS.name, "alert", expression.strip(" |\n")


def findings_in(expression, series):
    selectors = re.findall(r"\b((?:headroom_|up\b)\w*)(?:\{([^}]*)\})?", expression)
    if not selectors:
        yield "asks for no metric of ours"
    labels_there = set(FOREIGN_LABELS)
    for name, matchers in selectors:
        if name == "up":
            continue
        if name not in series:
            yield f"`{name}` is not documented"
            continue
        labels_there |= series[name]
        for label in re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", matchers):
            if label not in series[name] | FOREIGN_LABELS:
                yield f"`{name}` has no label `{label}`"
    for group in re.findall(r"\b(?:by|without) \(([^)]*)\)", expression):
        for label in re.split(r",\s*", group):
            if label not in labels_there:
                yield f"no metric in it has the label `{label}`"


def write_rules(path, expressions):
    rules = []
    for number, expression in enumerate(expressions):
        for variable, value in WINDOWS.items():
            expression = expression.replace(variable, value)
        rules.append({"record": f"dashboard:query_{number}", "expr": expression})
    Path(path).write_text(json.dumps({"groups": [{"name": "dashboards", "rules": rules}]}))


def main():
    told = documented()
    if len(told) < 20:
        sys.exit(f"only {len(told)} metrics found in {METRICS.name}: did its table change?")
    series = series_of(told)
    asked = list(queries())
    findings = [f"{where}: {what}: {finding}" for where, what, query in asked for finding in findings_in(query, series)]
    if path := os.environ.get("DASHBOARD_RULES"):
        write_rules(path, [query for where, _, query in asked if where != ALERTS.name])
    print("\n".join(findings) or f"{len(asked)} queries ask for documented metrics")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
