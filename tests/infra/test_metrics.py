"""Every metric that an alarm or the dashboard uses is emitted: by our code, or by AWS as it says."""

import ast
import json
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from tests.conftest import ROOT
from tests.infra.conftest import Stacks
from tests.infra.template import Template, text

AWS_METRICS = json.loads((Path(__file__).parent / "aws_metrics.json").read_text())
OWN = "hl7-ens"


@dataclass(frozen=True, slots=True)
class Metric:
    namespace: str
    name: str
    dimensions: tuple[str, ...]


def emitted() -> set[str]:
    """The names in the code's calls `count(name)` and `took(name)`, `*` for what is put in."""
    names = set()
    for folder in ("lambdas", "receiver"):
        for source in (ROOT / folder).rglob("*.py"):
            tree = ast.parse(source.read_text("utf-8"))
            for node in ast.walk(tree):
                if (
                    isinstance(node, ast.Call)
                    and isinstance(node.func, ast.Attribute)
                    and node.func.attr in ("count", "took")
                    and node.args
                ):
                    names |= patterns(node.args[0], tree)
    return names


def patterns(argument: ast.expr, tree: ast.Module) -> set[str]:
    match argument:
        case ast.Constant(value=str(name)):
            return {name}
        case ast.JoinedStr(values=parts):
            return {"".join(str(p.value) if isinstance(p, ast.Constant) else "*" for p in parts)}
        case ast.Subscript(value=ast.Name(id=table)):
            return {
                str(value.value)
                for node in tree.body
                if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == table
                if isinstance(node.value, ast.Dict)
                for value in node.value.values
                if isinstance(value, ast.Constant)
            }
    return set()


def of_alarms(template: Template) -> Iterator[Metric]:
    for alarm in template.of_type("AWS::CloudWatch::Alarm").values():
        properties = alarm["Properties"]
        parts = [
            m["MetricStat"]["Metric"] for m in properties.get("Metrics", []) if "MetricStat" in m
        ]
        for part in [properties] if "MetricName" in properties else parts:
            yield Metric(
                part["Namespace"],
                part["MetricName"],
                tuple(sorted(d["Name"] for d in part.get("Dimensions", []))),
            )


def widgets(template: Template) -> Iterator[dict[str, Any]]:
    for dashboard in template.of_type("AWS::CloudWatch::Dashboard").values():
        yield from json.loads(text(dashboard["Properties"]["DashboardBody"]))["widgets"]


def of_dashboards(template: Template) -> Iterator[Metric]:
    for widget in widgets(template):
        for line in widget["properties"].get("metrics", []):
            names = [part for part in line if isinstance(part, str)]
            yield Metric(names[0], names[1], tuple(sorted(names[2::2])))


def used(template: Template) -> set[Metric]:
    return {*of_alarms(template), *of_dashboards(template)}


def test_our_own_metrics_are_counted_somewhere_in_the_code(all_stacks: list[Template]) -> None:
    names = emitted()
    assert {"AckLatency", "ControlIdReused", "Released_*"} <= names
    own = {m for template in all_stacks for m in used(template) if m.namespace == OWN}
    assert len(own) > 10
    for metric in own:
        assert any(fnmatchcase(metric.name, name) for name in names), metric
        assert {"environment", "service"} <= set(metric.dimensions)


def test_metrics_of_aws_exist_with_these_dimensions(all_stacks: list[Template]) -> None:
    theirs = {m for template in all_stacks for m in used(template) if m.namespace != OWN}
    assert len(theirs) > 20
    for metric in theirs:
        known = AWS_METRICS[metric.namespace]
        assert metric.name in known["metrics"], metric
        if metric.namespace != "AWS/SES":
            assert list(metric.dimensions) in known["dimensions"], metric


def test_mail_metrics_have_the_dimension_that_the_configuration_set_gives_them(
    all_stacks: list[Template],
) -> None:
    for core in (template for template in all_stacks if template.name.endswith("-core")):
        destinations = [
            d["Properties"]["EventDestination"]
            for d in core.of_type("AWS::SES::ConfigurationSetEventDestination").values()
        ]
        given = {
            dimension["DimensionName"]: set(map(str.lower, d["MatchingEventTypes"]))
            for d in destinations
            for dimension in d.get("CloudWatchDestination", {}).get("DimensionConfigurations", [])
        }
        drawn = [m for m in used(core) if m.namespace == "AWS/SES"]
        assert {m.name for m in drawn} >= {"Send", "Delivery", "Bounce", "Complaint", "Reject"}
        (configuration_set,) = core.of_type("AWS::SES::ConfigurationSet").values()
        for metric in drawn:
            if metric.name.startswith("Reputation."):
                options = configuration_set["Properties"]["ReputationOptions"]
                assert options == {"ReputationMetricsEnabled": True}
                assert metric.dimensions == ("ses:configuration-set",)
            else:
                (dimension,) = metric.dimensions
                assert metric.name.lower() in given[dimension], metric


def test_how_long_senders_wait_is_watched_and_drawn(prod: Stacks) -> None:
    alarmed = {m.name for m in of_alarms(prod["ingress"])}
    drawn = {m.name for m in of_dashboards(prod["core"])}
    assert {"AckLatency", "StoreLatency"} <= alarmed & drawn
