"""The registry: its items, records, files and reads. LookupIdentities and DeliverNotification share it."""
