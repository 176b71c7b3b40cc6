"""What a look-up costs: round trips and time, for each index that may be in use."""
