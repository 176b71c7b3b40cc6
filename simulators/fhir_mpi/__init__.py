"""A FHIR index and provider directory of the local system: PIXm, PDQm, `$match` and mCSD.

A test double, from the registry's files, and a strict one: parameters that the profiles do not name are
refused. `create_app` makes it; what it is asked and answers can be checked by who starts it.
"""

from simulators.fhir_mpi.app import create_app

__all__ = ["create_app"]
