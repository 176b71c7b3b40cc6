"""One file per command of `ens`."""
