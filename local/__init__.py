"""The whole system on this machine: moto as AWS, the synthesised stack, the real handlers (design.md, "Local run")."""
