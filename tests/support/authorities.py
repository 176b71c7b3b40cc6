"""The authorities that the sender of a test may assert."""

from lambdas.common.senders import SenderAuthorities

OIDS = tuple(f"2.16.840.1.113883.3.9999.{number}" for number in (10, 11, 12))

ASSERTED = SenderAuthorities(
    further=frozenset({"NORTHGEN", "REGION", "MARS", "MOTOR_VEHICLES", "aa", *OIDS})
)
"""Authorities of the samples and of the MPI simulators, and two that nobody mapped."""
