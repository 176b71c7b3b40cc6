"""The advice for each error name and delivery outcome, for `ens trace` and the console page.

docs/runbook.md has the same names.
"""

LOCAL = "local"
_REDRIVE = "then `ens dlq redrive {event_id}`."
_PLATFORM = (
    "AWS Lambda could not run the function. The workflow has retried, and SQS redelivers the message."
    " If the error lasts, check the AWS Health Dashboard and the function's quotas."
)
_DIED = (
    "The function ran out of memory or time. SQS redelivers the message. If it ends on the"
    " dead-letter queue: find this event id in the function's log, raise the memory or correct the"
    " cause, " + _REDRIVE
)

ADVICE: dict[str, str] = {
    "DependencyUnavailableError": (
        "A service was slow, throttled or down during all retries. SQS redelivers the message. If it"
        " ends on the dead-letter queue: wait until the service works, " + _REDRIVE
    ),
    "UnprocessableMessageError": (
        "The message cannot be read as HL7, or a required field is empty. The audit entry names the"
        " position. Ask the sender for a corrected message, which is a new event. Redrive this one"
        " only after a correction of hl7-ens."
    ),
    "IdentityAmbiguousError": (
        "The identifiers belong to more than one patient. Ask the identity team to correct them, "
        + _REDRIVE
    ),
    "IdentityConflictError": (
        "The message's patient contradicts the registry (surname, birth date, sex, or identifiers"
        " of two patients) or the other messages of its stay: the error text says which. The registry:"
        " ask the identity team which is right, correct the registry, "
        + _REDRIVE
        + " The stay: one"
        " visit number was used for two patients. Ask the sender to cancel (A11) or move (A45) the"
        " wrong one, and redrive after that."
    ),
    "IdentityNotFoundError": (
        "No patient has these identifiers. If the patient should be in the registry, add them, "
        + _REDRIVE
    ),
    "ConfigurationError": (
        "A setting is missing or wrong, for example an unverified sender address or an unknown"
        " assigning authority. The error text names it. Correct it, deploy, " + _REDRIVE
    ),
    "DeliveryRefusedError": (
        "SES refused the mail to this recipient permanently. Correct the address in the registry,"
        " then `ens replay {event_id}`. Recipients who were notified are not notified again."
    ),
    "ContractError": (
        "A document or a task does not fit its contract; the text names class and member. This happens"
        " when an older version of the functions reads a newer document. Deploy the newer version, "
        + _REDRIVE
    ),
    "UnexpectedError": (
        "A fault of hl7-ens, or a message that the vault no longer has. The error text names the type,"
        " file and line. `NoSuchVersion` or `AccessDenied` at lambdas/common/aws/vault.py, in ParseMessage:"
        " the message was deleted, or is older than `retention.vault_days`, and would fail again: ask the"
        " sender to send it again. Else report the line, deploy the correction, " + _REDRIVE
    ),
    "DeliveryFailed": (
        "At least one recipient has not been notified. SQS redelivers the message, and only these"
        " recipients are tried again. If it ends on the dead-letter queue: correct the causes in"
        " their audit entries, " + _REDRIVE
    ),
    "States.Timeout": (
        "A step reached the workflow's timeout. SQS redelivers the message. If it ends on the"
        " dead-letter queue: find slow calls in the step's log, " + _REDRIVE
    ),
    "Lambda.ServiceException": _PLATFORM,
    "Lambda.AWSLambdaException": _PLATFORM,
    "Lambda.SdkClientException": _PLATFORM,
    "Lambda.ClientExecutionTimeoutException": _PLATFORM,
    "Lambda.TooManyRequestsException": (
        "The function reached its concurrency limit. SQS redelivers the message. If the error lasts,"
        " raise the concurrency of the account or the function."
    ),
    "Lambda.Unknown": _DIED,
    "Sandbox.Timedout": _DIED,
    "Runtime.ExitError": _DIED,
}

DELIVERY_ADVICE: dict[str, str] = {
    "unknown": (
        "SES gave no answer for the notification of {recipient_ref}, so it is not sent again"
        " automatically. A later delivery event sets it to sent. If none comes, ask the provider, or"
        " send it again: `ens deliveries resend {delivery_id}`."
    ),
    "refused": "SES refused the mail to {recipient_ref}: correct the address in the registry.",
    "bounced": "The notification to {recipient_ref} bounced: correct the address in the registry.",
    "complained": "{recipient_ref} reported the notification as spam: speak with the provider.",
}
"""The advice for recipients who were not notified, or may not have been."""


def for_error(error_name: str, event_id: str) -> str:
    """Returns the advice for an error name, with a general text for an unlisted one."""
    advice = ADVICE.get(
        error_name,
        "No advice is listed for this error. Open the execution in the Step Functions console and"
        " find the failed state. SQS redelivers the message, and moves it to the dead-letter queue in"
        " the end.",
    )
    return advice.format(event_id=event_id)


def for_recipient(outcome: str, recipient_ref: str, delivery_id: str) -> str:
    """Returns the advice for a recipient's outcome, "" when there is nothing to do."""
    text = DELIVERY_ADVICE.get(outcome, "")
    return text.format(recipient_ref=recipient_ref, delivery_id=delivery_id)


def in_environment(text: str, environment: str) -> str:
    """Returns the advice with commands that run as they are printed: `ens` acts on `local` by default."""
    return text if environment == LOCAL else text.replace("`ens ", f"`ens --env {environment} ")
