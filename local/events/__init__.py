"""Invocations that no caller asks for: the pipe, scheduled rules, and what SES reports."""
