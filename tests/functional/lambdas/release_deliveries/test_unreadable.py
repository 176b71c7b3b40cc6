"""A held delivery whose documents have gone holds back no other one."""

from lambdas.delivery.context import DeliveryContext
from lambdas.delivery.ledger.deliveries import deliveries
from tests.functional.lambdas.deliver_notification.world import ledger_items, sent_mails
from tests.functional.lambdas.release_deliveries.world import due_now, release, states, worlds


def test_a_summary_goes_without_a_delivery_that_cannot_be_read(context: DeliveryContext) -> None:
    all_worlds = worlds(context, 3)
    for world in all_worlds:
        world.run()
    bad = all_worlds[1]
    s3, vault = context.client("s3"), context.settings.vault_bucket
    key = f"events/{bad.patient_event.event_id}/identities.json"
    for one in s3.list_object_versions(Bucket=vault, Prefix=key)["Versions"]:
        s3.delete_object(Bucket=vault, Key=key, VersionId=one["VersionId"])
    due_now()
    assert release(context)["sent"] == 1
    assert len(sent_mails()) == 1
    assert states() == {"sent": 3, "held": 1}  # the summary and two members
    [summary] = [item for item in ledger_items() if item.get("members")]
    assert bad.delivery_id not in summary["members"]
    assert release(context)["failed"] == 1
    assert deliveries.discard(context, bad.delivery_id)
