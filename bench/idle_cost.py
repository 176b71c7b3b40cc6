"""`python -m bench.idle_cost [ENVIRONMENT …]`: prints USD a month of an environment without messages.

Counts what the synthesised templates create and multiplies by AWS's list prices of us-east-1, without
free tiers, discounts and taxes. docs/cost.md shows the result.
"""

import json
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HOURS_A_MONTH = 730
"""Hours of a month in AWS's pricing calculator."""

CONTAINER_INSIGHTS_METRICS = 25
"""An estimate for one cluster, one service and two task definitions."""

PRICES = {
    "interface endpoints, by zone": 0.01 * HOURS_A_MONTH,
    "network load balancer": 0.0225 * HOURS_A_MONTH,
    "receivers' vCPU (Fargate, arm64)": 0.03238 * HOURS_A_MONTH,
    "receivers' GB of memory": 0.00356 * HOURS_A_MONTH,
    "VPN connections": 0.05 * HOURS_A_MONTH,
    "KMS keys": 1.0,
    "secrets": 0.4,
    "metrics in alarms": 0.1,
    "dashboard": 3.0,
    "Contributor Insights rules": 0.5,
    "Container Insights metrics": 0.3,
}
"""USD a month for one. As of November 2026; AWS's own price pages were not at hand."""

COUNTED = {
    "AWS::ElasticLoadBalancingV2::LoadBalancer": "network load balancer",
    "AWS::EC2::VPNConnection": "VPN connections",
    "AWS::KMS::Key": "KMS keys",
    "AWS::SecretsManager::Secret": "secrets",
    "AWS::CloudWatch::Dashboard": "dashboard",
    "AWS::CloudWatch::InsightRule": "Contributor Insights rules",
}

Resources = dict[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Line:
    """The number of a priced thing in an environment, and USD a month for them."""

    name: str
    count: float
    usd: float


def lines(stacks: Iterable[Resources]) -> list[Line]:
    """The priced things of an environment's stacks, in the order of `PRICES`, without those it lacks."""
    counts: dict[str, float] = defaultdict(float)
    for resources in stacks:
        for name, count in _counts(resources):
            counts[name] += count
    return [
        Line(name, counts[name], counts[name] * price)
        for name, price in PRICES.items()
        if counts[name]
    ]


def _counts(resources: Resources) -> Iterator[tuple[str, float]]:
    for resource in resources.values():
        kind, properties = resource["Type"], resource.get("Properties", {})
        if kind in COUNTED:
            yield COUNTED[kind], 1
        elif kind == "AWS::EC2::VPCEndpoint" and properties.get("VpcEndpointType") == "Interface":
            yield "interface endpoints, by zone", len(properties["SubnetIds"])
        elif kind == "AWS::CloudWatch::Alarm":
            queries = properties.get("Metrics", [{"MetricStat": True}])
            yield "metrics in alarms", sum("MetricStat" in query for query in queries)
        elif kind == "AWS::ECS::Service":
            task = resources[properties["TaskDefinition"]["Ref"]]["Properties"]
            tasks = _least_tasks(resources)
            yield "receivers' vCPU (Fargate, arm64)", tasks * int(task["Cpu"]) / 1024
            yield "receivers' GB of memory", tasks * int(task["Memory"]) / 1024
        elif kind == "AWS::ECS::Cluster":
            yield "Container Insights metrics", CONTAINER_INSIGHTS_METRICS


def _least_tasks(resources: Resources) -> int:
    """The tasks to which the scaling of a stack's one service goes back when nothing is to do."""
    kind = "AWS::ApplicationAutoScaling::ScalableTarget"
    (target,) = (one["Properties"] for one in resources.values() if one["Type"] == kind)
    return int(target["MinCapacity"])


def of_environment(name: str) -> list[Line]:
    """The lines of an environment of environments/, synthesised without the functions' packages."""
    from infra.app import build  # here, so that importing this module does not start jsii

    with tempfile.TemporaryDirectory() as folder:
        build(name, folder, bundle=False)
        templates = sorted(Path(folder).glob("*.template.json"))
        return lines(json.loads(path.read_text("utf-8"))["Resources"] for path in templates)


def table(columns: dict[str, list[Line]]) -> str:
    """A Markdown table: a row for each priced thing, a column for each environment, and the sums."""
    found = {name: {line.name: line for line in of} for name, of in columns.items()}
    rows = [f"| | {' | '.join(columns)} |", f"|---|{'---|' * len(columns)}"]
    for thing in PRICES:
        cells = [of.get(thing) for of in found.values()]
        if any(cells):
            shown = (f"{cell.count:g}: {cell.usd:.2f}" if cell else "none" for cell in cells)
            rows.append(f"| {thing} | {' | '.join(shown)} |")
    sums = (f"**{sum(line.usd for line in of):.0f}**" for of in columns.values())
    return "\n".join([*rows, f"| **USD a month** | {' | '.join(sums)} |"])


def main(names: Sequence[str]) -> None:
    """Prints the table of the environments named, or of all that have a network."""
    from environments import load
    from environments import names as known

    chosen = names or [name for name in known() if load(name).network]
    print(table({name: of_environment(name) for name in chosen}))


if __name__ == "__main__":
    main(sys.argv[1:])
