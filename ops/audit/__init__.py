"""Writes the audit entries of people: their acts, and their looks at what is stored."""
