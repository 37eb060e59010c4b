"""robosuite's controllers and physics, as LIBERO's tasks have them."""
