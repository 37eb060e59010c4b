"""Variations: what may be otherwise in an episode than the env has it, and those of what a policy is sent."""
