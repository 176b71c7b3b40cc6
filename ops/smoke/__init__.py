"""`ens smoke`: invented messages through a deployed environment, and what became of each.

The messages come from the sender `smoke`, which every environment knows. Its events look up the
registry's smoke entries only, and their recipients are SES's mailbox simulator
(lambdas/lookup_identities/smoke.py): no message of it can reach a person.
"""
