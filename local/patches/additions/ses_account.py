"""The SES account that moto lacks: GetAccount, and SendEmail that refuses mails beyond the daily quota.

https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_GetAccount.html and
https://docs.aws.amazon.com/ses/latest/dg/manage-sending-quotas-errors.html
"""

import json
from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.ses.models import ses_backends
from moto.sesv2.responses import SESV2Response

from local.aws.clients import ACCOUNT, REGION
from local.patches.patching import add, replace

DAILY = 50_000
RATE = 200


def install() -> None:
    """Adds this to moto, for all accounts of the process. A second call changes nothing."""
    if hasattr(SESV2Response, "get_account"):
        return
    send_email = SESV2Response.send_email

    def within_quota(response: SESV2Response) -> Any:
        backend = ses_backends[response.current_account][response.region]
        if 0 <= _daily(backend) <= _sent(backend):
            raise JsonRESTError("ThrottlingException", "Daily message quota exceeded")
        return send_email(response)

    replace(SESV2Response, "send_email", within_quota)
    add(SESV2Response, "get_account", _get_account)


def set_daily_quota(mails: int, account: str = ACCOUNT, region: str = REGION) -> None:
    """Sets how many mails the account may send in 24 hours; -1 for no limit. A reset of moto ends it."""
    vars(ses_backends[account][region])["daily_quota"] = mails


def age_mails(mails: int, account: str = ACCOUNT, region: str = REGION) -> None:
    """Lets so many of the mails that were sent become older than 24 hours."""
    state = vars(ses_backends[account][region])
    state["older_mails"] = state.get("older_mails", 0) + mails


def _daily(backend: Any) -> float:
    return getattr(backend, "daily_quota", DAILY)


def _sent(backend: Any) -> int:
    """The mails of the last 24 hours. moto's own count has a raw mail's recipients twice."""
    return len(backend.sent_messages) - getattr(backend, "older_mails", 0)


def _get_account(response: SESV2Response) -> str:
    backend = ses_backends[response.current_account][response.region]
    return json.dumps(
        {
            "ProductionAccessEnabled": True,
            "SendingEnabled": True,
            "EnforcementStatus": "HEALTHY",
            "SendQuota": {
                "Max24HourSend": _daily(backend),
                "MaxSendRate": RATE,
                "SentLast24Hours": _sent(backend),
            },
        }
    )
