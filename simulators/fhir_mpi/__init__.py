"""A simulated FHIR MPI and provider directory: PIXm, PDQm, `$match` and mCSD.

It serves the registry's files and rejects parameters that the profiles do not define. `create_app`
builds it; its `check` argument sees every resource.
"""

from simulators.fhir_mpi.app import create_app

__all__ = ["create_app"]
