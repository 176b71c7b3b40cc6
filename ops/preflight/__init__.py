"""Checks of an account before a deployment: read-only, each finding with the command that mends it."""
