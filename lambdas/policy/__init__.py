"""The decision about one recipient of a notification, and the rules of the policy files. Pure."""
