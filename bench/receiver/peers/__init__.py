"""Receivers that others would write with their own libraries, each storing before it acknowledges."""
