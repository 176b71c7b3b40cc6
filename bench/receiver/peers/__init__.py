"""Receivers written with other libraries. Each stores before it acknowledges."""
