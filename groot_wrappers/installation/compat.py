"""What Python 3.10, in which GR00T's own environment lives, lacks of the standard library."""

import sys
from enum import Enum

__all__ = ["StrEnum"]

if sys.version_info >= (3, 11):
    from enum import StrEnum
else:

    class StrEnum(str, Enum):
        """Members are strings, and are written as their values, as in ``enum.StrEnum`` of Python 3.11."""

        __str__ = str.__str__
        __format__ = str.__format__
