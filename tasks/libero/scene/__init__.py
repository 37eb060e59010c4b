"""LIBERO's scenes: composed by MuJoCo from the wheels' models, and written as USD for Newton."""
