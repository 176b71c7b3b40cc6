"""The tests. Importing them lets this process and those that it starts cache bytecode.

Where `PYTHONDONTWRITEBYTECODE` is set, as in many container images, each `ens` and each local system
would compile the project anew (1.5 s of CPU time), and pytest each test file (10 s in all).
"""

import os
import sys

sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
