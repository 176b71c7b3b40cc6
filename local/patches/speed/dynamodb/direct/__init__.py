"""Answers to the usual calls of DynamoDB, computed on the JSON of the items; unusual ones are left to moto.

`handler` is the seam. `calls` reads and writes moto's own tables, so that both see the same items.
"""
