"""`ens`, the operator's command line."""
