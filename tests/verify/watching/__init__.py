"""The long proof that watching changes no row, and what it costs: `make verify-watching`."""
