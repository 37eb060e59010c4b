"""What several tasks share: scene parts, cameras, seeded resets, scripted experts."""
