"""How well the Comprehend Medical stand-in reads notes, measured through its own HTTP interface."""
