"""One module a check: `check(plan, clients)` yields its findings."""
