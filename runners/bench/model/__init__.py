"""The section ``model``: a checkpoint of GR00T served by NVIDIA's code and by ours, in process and over the wire."""
