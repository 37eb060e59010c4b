"""A Franka lifts the cube that the instruction names, of a red and a blue one: the lift, and what differs from it."""
