"""What a person reads of runs: lines, tables, pages."""

__all__ = ["PAGE"]

PAGE = "groot-report.html"
"""File of the page over many runs, unless another is asked for."""
