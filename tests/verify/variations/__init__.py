"""Long proofs of the variations: `make verify-variations`."""
