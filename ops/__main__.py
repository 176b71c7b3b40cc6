"""`python -m ops` is `ens`."""

from ops.cli import main

if __name__ == "__main__":
    main(prog_name="ens")
