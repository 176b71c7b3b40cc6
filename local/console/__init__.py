"""The console page."""
