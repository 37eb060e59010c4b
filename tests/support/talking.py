"""A function for a process of its own, in a module that imports nothing, so that the process starts at once."""


def talk(pipe):
    """Print as a policy may, and tell at the other end of the pipe that it could."""
    print("talk " * 3000, flush=True)
    pipe.send("printed")
