"""The scripted expert of the lift: it sees pixels and joints alone, and never imports the simulator."""
