"""Finds, by reading code, the AWS calls that a function, the receiver and the workflow make."""
