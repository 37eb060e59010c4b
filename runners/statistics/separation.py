"""Whether numbers separate successes from failures, so that a logistic model of them has no finite coefficients."""

from typing import Any

import numpy as np
from scipy.optimize import linprog

__all__ = ["separates"]


def separates(columns: "np.ndarray[Any, Any]", succeeded: "np.ndarray[Any, Any]") -> bool:
    """Say whether some sum of columns and a constant is never below 0 for a success, never above 0 for a failure.

    Albert and Anderson's condition for a maximum likelihood that no finite coefficients reach ("On the existence of
    maximum likelihood estimates in logistic regression models", 1984), where the sum is not 0 throughout; asked as
    Konis does, by linear programming. statsmodels finds only the part of it where no episode lies on the border.

    Args:
        columns: float (episodes, columns), each of about the size of 1.
        succeeded: bool (episodes,), of both kinds.
    """
    signs = np.where(succeeded, 1.0, -1.0)[:, None]
    signed = signs * np.column_stack([np.ones(len(columns)), columns])
    # The sums of all episodes as far on their own sides as they come within [0, 1]: nowhere beyond 0, or one at 1.
    limits = np.concatenate([np.zeros(len(signed)), np.ones(len(signed))])
    found = linprog(-signed.sum(axis=0), np.vstack([-signed, signed]), limits, bounds=(None, None), method="highs")
    return bool(found.status == 0 and -found.fun > 0.5)
