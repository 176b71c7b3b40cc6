"""The whole system on this machine: moto as AWS, the synthesised stack, the real handlers (docs/architecture.md#local-system)."""
