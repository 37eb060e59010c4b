"""The Hydra apps around a rollout: groot-play, groot-serve, and what they are made of."""
