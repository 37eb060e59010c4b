"""``python -m groot_wrappers.serve``: a policy server in the environment of its model, with the core alone."""
