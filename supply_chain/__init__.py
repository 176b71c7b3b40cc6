"""Software bills of materials and the vulnerability audit of the project's lock files."""
