"""A master patient index of the local system: PIX Query and PDQ over MLLP, from the registry's files.

A test double, and a strict one: it answers only what IHE ITI TF-2 3.9 and 3.21 let a consumer ask, and
says no to the rest. Start it with `Index(folder).start()`; `fail_next` makes it misbehave.
"""

from simulators.pix_manager.people import People
from simulators.pix_manager.server import Index

__all__ = ["Index", "People"]
