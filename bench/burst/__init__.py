"""A burst of notifications against a stand-in for Comprehend Medical that throttles."""
