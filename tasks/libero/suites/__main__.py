"""``python -m tasks.libero.suites [WORD ...]``: LIBERO's tasks, those whose suite and text have all the words."""

import sys

from groot_wrappers.errors import ContractError
from tasks.assets.cache import AssetError
from tasks.libero.suites.suites import HORIZONS, instruction_of, task_names

__all__ = ["main"]


def main(words: list[str]) -> int:
    """Print the settings of each such task, with what it tells a policy; return the exit code."""
    try:
        names = [(suite, index, name) for suite in HORIZONS for index, name in enumerate(task_names(suite))]
    except (AssetError, ContractError) as error:
        print(error, file=sys.stderr)
        return 1
    found = False
    for suite, index, name in names:
        text = instruction_of(name)
        if all(word.lower() in f"{suite} {text}".lower() for word in words):
            print(f"task={suite} task.index={index}   {text}")
            found = True
    if not found:
        print(f"No task of LIBERO's says {' '.join(words)!r}", file=sys.stderr)
    return 0 if found else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
