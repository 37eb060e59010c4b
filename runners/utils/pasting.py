"""Overrides as they are printed: quoted for Hydra and the shell, so that they can be pasted."""

import re
import shlex

__all__ = ["override"]


def override(key: str, value: object) -> str:
    """Return ``key=value`` for the command line of a Hydra app."""
    text = str(value)
    if re.fullmatch(r"[\w.:/-]+", text, flags=re.ASCII):  # Hydra knows no other letters outside of quotes
        return f"{key}={text}"
    # Within Hydra's quotes, a quote is escaped, and so are the backslashes that stand before one.
    escaped = re.sub(r"(\\*)('|$)", lambda match: match[1] * 2 + ("\\'" if match[2] else ""), text)
    told = f"{key}='{escaped}'"
    return shlex.quote(told) if re.search(r'["$`\\!]', told) else f'"{told}"'
