"""``make docs``, without what stands before it: the pages build, and no warning is given."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.pages import DOCS, PAGES, ROOT


def sphinx_arguments():
    """Return the arguments of the Makefile's command."""
    recipe = (ROOT / "Makefile").read_text().partition("\ndocs:")[2].splitlines()[1]
    return shlex.split(recipe)[1 : -len(["docs", "docs/_build/html", "$(ARGS)"])]


@pytest.mark.process
def test_the_documentation_builds_without_a_warning(tmp_path):
    assert "--fail-on-warning" in sphinx_arguments()
    sphinx = Path(sys.executable).with_name("sphinx-build")
    command = [sphinx, *sphinx_arguments(), DOCS, tmp_path]
    built = subprocess.run(
        command, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False
    )
    assert built.returncode == 0, built.stderr[-4000:]
    for page in PAGES:
        if page.startswith("docs/"):
            assert (tmp_path / page.removeprefix("docs/")).with_suffix(".html").is_file()
