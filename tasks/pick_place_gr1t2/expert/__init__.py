"""The scripted expert of pick and place: it sees pixels and joints alone, and never imports the simulator."""
