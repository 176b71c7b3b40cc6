"""Alarms reach a person and each has a page of the runbook; SES's events reach us."""

import json
import re
from collections.abc import Callable

import pytest

from environments import load
from receiver.intake import rejections
from receiver.intake.rejections import Rejection
from tests.infra.conftest import EVERY, Stacks
from tests.infra.template import STEPS, Resource, Template, text

LINK = re.compile(r"docs/runbook\.md#([a-z-]+)$")
PROMISED = {
    *("dead-letters-waiting", "dead-letters-growing", "oldest-message", "executions-failed"),
    *("executions-timed-out", "pipe-stands-still", "unknown-deliveries"),
    *("deliveries-overdue", "deliveries-piling-up", "reduced-detail", "notification-not-delivered"),
    *("cancellation-without-stay", "mail-without-seal"),
    *("mail-quota", "authority-not-usable", "warnings-rising", "unknown-patients-rising"),
    "scheduled-run-failed",
}


def alarms(*templates: Template) -> dict[str, Resource]:
    """The properties of alarms by their name without the environment."""
    return {
        alarm["Properties"]["AlarmName"].split("-", 3)[3]: alarm["Properties"]
        for template in templates
        for alarm in template.of_type("AWS::CloudWatch::Alarm").values()
    }


def test_what_may_go_wrong_has_an_alarm(core: Template) -> None:
    assert set(alarms(core)) >= PROMISED


def test_what_may_go_wrong_at_the_receiver_has_an_alarm(prod: Stacks) -> None:
    assert set(alarms(prod["ingress"])) == {
        *("receivers-missing", "receiver-cannot-store", "messages-rejected"),
        *(
            "messages-not-allowed",
            "acknowledgements-slow",
            "storing-slow",
            "configuration-not-used",
            "certificate-not-used",
            "certificates-expiring",
            "receiver-tasks-failed",
        ),
    }


def test_every_alarm_goes_to_the_topic_and_names_its_page(prod: Stacks) -> None:
    topic = prod["core"].id_of("Alarms/Topic")
    for name, alarm in alarms(*prod.values()).items():
        (action,) = (text(target) for target in alarm["AlarmActions"])
        assert topic in action, name
        found = LINK.search(alarm["AlarmDescription"])
        assert found, name
        assert found[1] == name


@pytest.mark.parametrize("name", ["dev", "staging", "prod"])
def test_somebody_is_told_of_alarms(name: str) -> None:
    environment = load(name)
    assert environment.alarm_addresses or environment.alarm_topics


def test_the_standing_pipe_is_told_from_a_patient_who_blocks_his_own_messages(
    core: Template,
) -> None:
    alarm = alarms(core)["pipe-stands-still"]
    (expression,) = (m for m in alarm["Metrics"] if "Expression" in m)
    assert expression["Expression"] == "IF(waiting > 0 AND FILL(taken, 0) == 0, 1, 0)"
    parts = {m["Id"]: m["MetricStat"]["Metric"] for m in alarm["Metrics"] if "MetricStat" in m}
    assert parts["taken"]["MetricName"] == "EventCount"
    assert parts["taken"]["Dimensions"] == [
        {"Name": "PipeName", "Value": core.properties("Pipe")["Name"]}
    ]
    assert parts["waiting"]["MetricName"] == "ApproximateNumberOfMessagesVisible"
    period = next(m["MetricStat"]["Period"] for m in alarm["Metrics"] if "MetricStat" in m)
    assert (
        period * alarm["EvaluationPeriods"] > core.properties("Queues/Events")["VisibilityTimeout"]
    )


@pytest.mark.parametrize("name", ["executions-failed", "executions-timed-out"])
def test_no_mail_tells_the_end_of_failures_whose_message_is_still_to_be_tried_again(
    name: str, core: Template
) -> None:
    """With a shorter memory, each of up to 40 tries sent a mail, and each wait a mail that all is well."""
    alarm = alarms(core)[name]
    assert alarm["DatapointsToAlarm"] == 1
    assert alarm["OKActions"]
    waits = core.properties("Queues/Events")["VisibilityTimeout"]
    assert alarm["Period"] * alarm["EvaluationPeriods"] > waits


def test_a_task_of_a_receiver_that_failed_is_a_single_event_without_an_end(prod: Stacks) -> None:
    """The receiver counts each failure once (receiver/transport/server.py, `failed`)."""
    assert "OKActions" not in alarms(prod["ingress"])["receiver-tasks-failed"]


def test_releases_that_stand_still_are_an_alarm_too(core: Template) -> None:
    alarm = alarms(core)["deliveries-overdue"]
    assert alarm["TreatMissingData"] == "breaching"
    (counted,) = (m["MetricStat"] for m in alarm["Metrics"] if "MetricStat" in m)
    assert (alarm["Threshold"], counted["Stat"]) == (900, "Maximum")


def test_an_alarm_on_missing_data_counts_the_periods_that_it_says(prod: Stacks) -> None:
    """CloudWatch user guide, "How alarm state is evaluated when data is missing".

    Older data points stand in for missing ones as long as there are enough of them, so that a backup that
    never came was reported after four or five days instead of two. FILL leaves no point missing.
    """
    seen = set()
    for name, alarm in alarms(*prod.values()).items():
        if alarm["TreatMissingData"] != "breaching":
            continue
        seen.add(name)
        (expression,) = (m["Expression"] for m in alarm["Metrics"] if "Expression" in m)
        (counted,) = (m for m in alarm["Metrics"] if "MetricStat" in m)
        filled = re.fullmatch(rf"FILL\({counted['Id']}, (\d+)\)", expression)
        assert filled, name
        below = alarm["ComparisonOperator"] == "LessThanThreshold"
        assert below == (int(filled[1]) < alarm["Threshold"]), name
    assert seen >= {"audit-unverified", "backup-missing", "deliveries-overdue", "mail-quota"}


def test_alarms_on_rejections_know_every_reason_that_the_receiver_gives(prod: Stacks) -> None:
    given = {value.reason for value in vars(rejections).values() if isinstance(value, Rejection)}
    watched = {
        dimension["Value"]
        for name in ("receiver-cannot-store", "messages-rejected", "messages-not-allowed")
        for metric in alarms(prod["ingress"])[name]["Metrics"]
        for dimension in metric.get("MetricStat", {}).get("Metric", {}).get("Dimensions", [])
        if dimension["Name"] == "reason"
    }
    assert given
    assert watched == given


def test_no_alarm_has_more_metrics_than_cloudwatch_allows(prod: Stacks) -> None:
    """CloudWatch user guide, Limits: alarms on metric math expressions reference at most 10 metrics."""
    for name, alarm in alarms(*prod.values()).items():
        retrieved = [metric for metric in alarm.get("Metrics", []) if "MetricStat" in metric]
        assert len(retrieved) <= 10, name


def test_mail_leaves_over_tls_or_not_at_all(core: Template) -> None:
    environment = core.name.removesuffix("-core")
    configuration = core.properties("Delivery/ConfigurationSet")
    assert configuration["Name"] == environment
    assert configuration["DeliveryOptions"]["TlsPolicy"] == "REQUIRE"


def test_the_dns_records_of_the_mail_domain_are_outputs_of_the_stack(core: Template) -> None:
    outputs = {
        name: text(output["Value"])
        for name, output in core.document["Outputs"].items()
        if name.startswith("MailDkim")
    }
    identity = "MailIdentity.DkimDNSToken"
    assert outputs == {
        f"MailDkim{n}": f"<{identity}Name{n}> CNAME <{identity}Value{n}>" for n in (1, 2, 3)
    }


def test_ses_returns_no_notification_by_mail(core: Template) -> None:
    properties = core.properties("Delivery/Identity")
    assert properties["FeedbackAttributes"] == {"EmailForwardingEnabled": False}


def test_ses_reports_everything_but_who_opened_a_mail(core: Template) -> None:
    (properties,) = (
        destination["Properties"]["EventDestination"]
        for destination in core.of_type("AWS::SES::ConfigurationSetEventDestination").values()
        if "EventBridgeDestination" in destination["Properties"]["EventDestination"]
    )
    assert properties["Enabled"] is True
    assert text(properties["EventBridgeDestination"]["EventBusArn"]).endswith("event-bus/default")
    events = {event.upper() for event in properties["MatchingEventTypes"]}
    assert events >= {"SEND", "DELIVERY", "BOUNCE", "COMPLAINT", "REJECT"}
    assert not events & {"OPEN", "CLICK"}


def test_what_ses_reports_of_our_mails_and_no_others_is_recorded(core: Template) -> None:
    (rule,) = (
        rule
        for rule in core.of_type("AWS::Events::Rule").values()
        if rule["Properties"].get("EventPattern", {}).get("source") == ["aws.ses"]
    )
    environment = core.name.removesuffix("-core")
    assert rule["Properties"]["EventPattern"] == {
        "source": ["aws.ses"],
        "detail": {"mail": {"tags": {"ses:configuration-set": [environment]}}},
    }
    (target,) = rule["Properties"]["Targets"]
    assert text(target["Arn"]) == f"<{core.id_of('RecordFeedback')}.Arn>"
    queue = core.id_of("Queues/FeedbackDeadLetters")
    assert text(target["DeadLetterConfig"]["Arn"]) == f"<{queue}.Arn>"


def test_a_report_of_ses_that_the_function_fails_to_record_is_kept_and_raises_an_alarm(
    core: Template,
) -> None:
    """Lambda developer guide, "Error handling for asynchronous invocation".

    EventBridge calls a function asynchronously: after two retries of a failed run, Lambda discards the
    event. The dead-letter queue of the rule gets only the events that Lambda did not take.
    """
    function = core.properties("RecordFeedback")
    queue = core.id_of("Queues/FeedbackDeadLetters")
    assert text(function["DeadLetterConfig"]["TargetArn"]) == f"<{queue}.Arn>"
    alarm = alarms(core)["feedback-not-recorded"]
    (dimension,) = alarm["Dimensions"]
    assert text(dimension["Value"]) == f"<{queue}.QueueName>"


def test_the_dashboard_shows_the_way_of_messages(core: Template) -> None:
    (dashboard,) = core.of_type("AWS::CloudWatch::Dashboard").values()
    body = text(dashboard["Properties"]["DashboardBody"])
    for metric in (
        *("ApproximateAgeOfOldestMessage", "ExecutionsFailed", "EventCount", "Delivery"),
        *("HeldDeliveries", "OldestOverdueSeconds", "UnknownDelivery", "ReducedDetail"),
        "MailWithoutSeal",
    ):
        assert f'"{metric}"' in body


@pytest.mark.parametrize("name", EVERY)
def test_the_dashboard_shows_every_alarm_of_its_environment(
    name: str, synthesised: Callable[[str], Stacks]
) -> None:
    stacks = synthesised(name)
    made = {
        logical_id: alarm["Properties"]["AlarmName"]
        for template in stacks.values()
        for logical_id, alarm in template.of_type("AWS::CloudWatch::Alarm").items()
    }
    (dashboard,) = stacks["core"].of_type("AWS::CloudWatch::Dashboard").values()
    widgets = json.loads(text(dashboard["Properties"]["DashboardBody"]))["widgets"]
    (shown,) = (w["properties"]["alarms"] for w in widgets if w["type"] == "alarm")
    # Alarms of the same stack by reference, those of the ingress stack by name.
    names = [made.get(arn[1:].removesuffix(".Arn>"), arn.rsplit(":", 1)[-1]) for arn in shown]
    assert sorted(names) == sorted(made.values())


def test_one_events_way_is_a_saved_query_away(core: Template) -> None:
    queries = {
        q["Properties"]["Name"].split("/")[1]: q["Properties"]
        for q in core.of_type("AWS::Logs::QueryDefinition").values()
    }
    query = queries["one event's way through the steps"]
    assert "event_id" in query["QueryString"]
    assert len(query["LogGroupNames"]) == len(STEPS)
    assert "sort @timestamp asc" in query["QueryString"]
    assert json.dumps(queries).count("hl7-ens") > 0


def test_what_a_clock_calls_is_called_as_often_as_it_is_due(core: Template) -> None:
    called = sorted(
        (rule["Properties"]["ScheduleExpression"], text(target["Arn"]))
        for rule in core.of_type("AWS::Events::Rule").values()
        if "ScheduleExpression" in rule["Properties"]
        for target in rule["Properties"]["Targets"]
    )
    assert called == sorted(
        (every, f"<{core.id_of(function)}.Arn>")
        for every, function in (
            ("rate(5 minutes)", "TrackEncounter"),
            ("rate(1 minute)", "ReleaseDeliveries"),
            ("rate(1 day)", "LookupIdentities"),
            ("rate(1 hour)", "DigestAudit"),
            ("rate(1 day)", "VerifyAudit"),
        )
    )


def test_a_run_of_a_schedule_that_fails_three_times_raises_an_alarm(core: Template) -> None:
    """Lambda then drops the event: a roster that ends would be named on neither of its two days."""
    called = {
        text(target["Arn"]).removesuffix(".Arn>")
        for rule in core.of_type("AWS::Events::Rule").values()
        if "ScheduleExpression" in rule["Properties"]
        for target in rule["Properties"]["Targets"]
    }
    parts = [
        one["MetricStat"]["Metric"]
        for one in alarms(core)["scheduled-run-failed"]["Metrics"]
        if "MetricStat" in one
    ]
    assert {part["MetricName"] for part in parts} == {"AsyncEventsDropped"}
    watched = {text(part["Dimensions"][0]["Value"]).removesuffix(">") for part in parts}
    assert watched == called


def test_warnings_are_counted_by_sender_and_kind_and_unknown_patients_by_sender(
    core: Template,
) -> None:
    """The keys are fields of the steps' log lines (`Run.log_warnings`, `Run.failed`)."""
    prefix = core.name.removesuffix("-core")
    rules = {
        rule["Properties"]["RuleName"]: json.loads(text(rule["Properties"]["RuleBody"]))
        for rule in core.of_type("AWS::CloudWatch::InsightRule").values()
    }
    assert {name: rule["Contribution"]["Keys"] for name, rule in rules.items()} == {
        f"{prefix}-warnings": ["$.sender", "$.warning_code"],
        f"{prefix}-unknown-patients": ["$.sender"],
    }
    groups = {group for rule in rules.values() for group in rule["LogGroupNames"]}
    assert groups == {
        f"<{core.id_of(f'{step}Logs')}>" for step in ("ParseMessage", "LookupIdentities")
    }
    (dashboard,) = core.of_type("AWS::CloudWatch::Dashboard").values()
    widgets = json.loads(text(dashboard["Properties"]["DashboardBody"]))["widgets"]
    shown = [
        w["properties"]["insightRule"]["ruleName"]
        for w in widgets
        if "insightRule" in w["properties"]
    ]
    assert sorted(shown) == sorted(rules)
