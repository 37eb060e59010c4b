"""Build entry point; everything about the distribution is declared in setup.cfg."""

from setuptools import setup

setup()
