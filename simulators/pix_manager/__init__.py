"""A master patient index of the local system: PIX Query and PDQ over MLLP, from the registry's files.

A test double, and a strict one: it answers only what IHE ITI TF-2 3.9 and 3.21 let a consumer ask, and
says no to the rest. Start it with `PixManager(folder).start()`; `fail_next` makes it misbehave.
"""

from simulators.pix_manager.people import SimulatedPatients
from simulators.pix_manager.server import PixManager

__all__ = ["PixManager", "SimulatedPatients"]
