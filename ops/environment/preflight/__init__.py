"""Checks an account before a deployment, with read-only calls. Each finding names its remedy."""
