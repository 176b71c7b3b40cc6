"""`ens smoke`: sends messages about invented patients through a deployed environment.

They come from the sender `smoke`, which every environment lists. Its events look up the registry's smoke
entries only, and their mails go to SES's mailbox simulator (lambdas/lookup_identities/smoke.py), so no
mail reaches a person.
"""
