"""A checkpoint of LeRobot as a policy to serve, in LeRobot's own environment.

* ``policy``: ``LeRobotModel``, the policy.
* ``layout``: which keys a checkpoint wants and gives.
* ``sampling``: what a model draws, from the row's episode.

torch and LeRobot are imported by its modules, and by none outside. Entered by ``groot_wrappers.serve.lerobot``.
"""
