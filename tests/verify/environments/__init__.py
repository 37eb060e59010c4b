"""The software in environments of other makes than the one that runs the tests."""
