"""A compiled ``MjModel`` as USD, a file an asset: what is looked at, and physics. ``export`` writes them.

Nothing here knows LIBERO: any model of boxes, planes, cylinders, capsules, spheres and meshes can be written.
"""
