"""Checks that each store deletes its data after the days of the environment's file."""
