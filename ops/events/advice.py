"""What to do about each error name; the command line, the console page and the runbook say the same."""

_REDRIVE = "then `ens dlq redrive {event_id}`."
_PLATFORM = (
    "AWS Lambda could not run the function; the workflow repeated it and the queue will again."
    " Nothing to do unless it lasts: then check the AWS Health Dashboard and the function's quotas."
)
_DIED = (
    "The function died (out of memory, or out of time). The queue repeats it; if it ends on the"
    " dead-letter queue, look for this event id in the function's log, raise memory or mend the"
    " cause, " + _REDRIVE
)

ADVICE: dict[str, str] = {
    "DependencyUnavailableError": (
        "A service was slow, throttled or down for longer than the retries last. The queue repeats"
        " the event by itself; if it ends on the dead-letter queue, wait for the service, "
        + _REDRIVE
    ),
    "UnprocessableMessageError": (
        "The message is not readable as HL7, or lacks what an event must have; the audit entry"
        " names the position. Ask the sender for a corrected message: it is a new event."
        " Redriving the same bytes fails again, unless our reading was at fault and is mended."
    ),
    "IdentityAmbiguousError": (
        "The registry knows more than one patient who fits. Have the identity team merge or tell"
        " them apart, " + _REDRIVE
    ),
    "IdentityConflictError": (
        "The registry's patient contradicts the message (surname, birth date, sex, or identifiers"
        " of two patients). Have the identity team decide which is right; mend the registry, "
        + _REDRIVE
    ),
    "IdentityNotFoundError": (
        "The registry knows nobody with these identifiers. If the patient should be known, add"
        " them, " + _REDRIVE
    ),
    "ConfigurationError": (
        "A setting is missing or wrong: the text names it (an unverified sender address, an"
        " unknown assigning authority, a missing variable). Mend it, deploy, " + _REDRIVE
    ),
    "DeliveryRefusedError": (
        "The mail service refused this recipient's address or the content for good. Correct the"
        " address in the registry, then `ens replay {event_id} --by NAME`: whoever was told is"
        " not told again."
    ),
    "UnexpectedError": (
        "A fault of ours: the text names the type, file and line. The queue repeats the event in"
        " case it was chance. Report the line, deploy the correction, " + _REDRIVE
    ),
    "DeliveryFailed": (
        "At least one recipient could not be told yet. The queue repeats the event and only those"
        " who were not told are tried; see each recipient's outcome. If it ends on the dead-letter"
        " queue, mend what their entries name, " + _REDRIVE
    ),
    "States.Timeout": (
        "A step took longer than the workflow allows. The queue repeats the event; if it ends on"
        " the dead-letter queue, look for slow calls in the step's log, " + _REDRIVE
    ),
    "Lambda.ServiceException": _PLATFORM,
    "Lambda.AWSLambdaException": _PLATFORM,
    "Lambda.SdkClientException": _PLATFORM,
    "Lambda.ClientExecutionTimeoutException": _PLATFORM,
    "Lambda.TooManyRequestsException": (
        "The function ran at its concurrency limit. The queue repeats the event; if it lasts,"
        " raise the account's or the function's concurrency."
    ),
    "Lambda.Unknown": _DIED,
    "Sandbox.Timedout": _DIED,
    "Runtime.ExitError": _DIED,
}

DELIVERY_ADVICE: dict[str, str] = {
    "unknown": (
        "The mail service did not say whether it took the notification for {recipient_ref}, so it"
        " is not sent again by itself. Its delivery event may still settle it; if none comes, ask"
        " the provider, or send it again: `ens deliveries unknown`, `ens deliveries resend`."
    ),
    "refused": "The mail service refused {recipient_ref}: correct the address in the registry.",
    "suppressed": (
        "{recipient_ref} was not told: the hospital cancelled the event before it went out."
    ),
    "bounced": "The notification to {recipient_ref} bounced: correct the address in the registry.",
    "complained": "{recipient_ref} reported the notification as spam: speak with the provider.",
}
"""What to do about a recipient who was, or may have been, not told."""


def for_error(error_name: str, event_id: str) -> str:
    """What to do about an event that failed under this name; a way to look closer for an unknown one."""
    advice = ADVICE.get(
        error_name,
        "This name is not in the table: open the execution in the Step Functions console and read"
        " where it failed; the queue repeats the event, and at last keeps it as a dead letter.",
    )
    return advice.replace("{event_id}", event_id)


def for_recipient(outcome: str, recipient_ref: str) -> str:
    """What to do about a recipient's outcome; "" when nothing is."""
    return DELIVERY_ADVICE.get(outcome, "").replace("{recipient_ref}", recipient_ref)
