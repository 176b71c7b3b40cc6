"""A simulated master patient index: PIX Query and PDQ over MLLP, from the registry's files.

It answers the queries of IHE ITI TF-2 3.9 and 3.21 and rejects all others.
`PixManager(folder).start()` starts it; `fail_next` causes faults.
"""

from simulators.pix_manager.people import SimulatedPatients
from simulators.pix_manager.server import PixManager

__all__ = ["PixManager", "SimulatedPatients"]
