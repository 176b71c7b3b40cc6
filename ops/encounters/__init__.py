"""Stays as operators see them: events, decisions and recipients, without a value of the patient."""
