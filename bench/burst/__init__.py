"""Simulates a burst of notifications with a Comprehend Medical that throttles."""
