"""The ledger's table: its item types, and every read and every change of an item."""
