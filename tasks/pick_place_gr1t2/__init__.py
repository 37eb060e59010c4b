"""A GR1T2 picks and places a steering wheel: env config, success term, camera and a scripted expert."""
