"""A policy that asks an openpi server: ``policy`` says which key is which, ``wire`` is openpi-client's protocol.

openpi-client itself wants numpy < 2, waits without end and takes messages of any size.
"""
