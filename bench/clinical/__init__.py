"""Measures how well the Comprehend Medical simulator reads notes, through its HTTP interface."""
