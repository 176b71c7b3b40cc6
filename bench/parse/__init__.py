"""Measures the CPU time of reading a message, beside hl7apy."""
