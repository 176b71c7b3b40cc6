"""A simulator of Amazon Comprehend Medical: the service's JSON API, with answers from dictionaries.

It finds the obvious conditions, drugs and codes of a note. Its scores are invented and not calibrated. Its
lexicons and rules are written from the ICD-10-CM tabular list and general knowledge.
"""

from simulators.comprehend_medical.app import create_app

__all__ = ["create_app"]
