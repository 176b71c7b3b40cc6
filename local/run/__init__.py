"""`make run`: the command, the order in which the parts start, and the processes beside AWS."""
