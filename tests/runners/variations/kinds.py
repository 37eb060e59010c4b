"""The variations of the scene that several envs can have at once."""

KINDS = [
    "background",
    "camera_pose",
    "distractors",
    "friction_mass",
    "light",
    "object_colour",
    "object_pose",
    "robot_start",
    "texture",
]
