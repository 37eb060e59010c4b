"""The rollout loop: which env plays which episode, beat by beat."""
