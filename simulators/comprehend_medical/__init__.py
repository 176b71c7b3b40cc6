"""A stand-in for Amazon Comprehend Medical on this machine: the service's JSON API, a dictionary's answers.

Good enough to find the obvious conditions, drugs and codes of a note. Its scores are made up and not
calibrated; its lexicons and rules are written from the ICD-10-CM tabular list and general knowledge.
"""

from simulators.comprehend_medical.app import create_app

__all__ = ["create_app"]
