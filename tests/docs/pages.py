"""The README and the pages of docs/: what they say, in the parts that a test looks at."""

import functools
import os
import re
import subprocess
import tempfile
from pathlib import Path

from omegaconf import OmegaConf

from tests.support import composing

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"

_FILES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted(DOCS.rglob("*.md"))]
PAGES = {path.relative_to(ROOT).as_posix(): path.read_text() for path in _FILES if "_build" not in path.parts}
EXAMPLE = PAGES["docs/tutorials/my_env.md"]

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`([^`\n]+)`")


def spans(text):
    """Return what stands between single backticks, outside blocks."""
    return [span.replace("\\|", "|") for span in SPAN.findall(BLOCK.sub("", text))]


def all_spans():
    return {span for text in PAGES.values() for span in spans(text)}


def table(heading):
    """Return the rows of all tables whose head begins with the given cell."""
    rows = []
    for text in PAGES.values():
        inside = False
        for line in text.splitlines():
            cells = [cell.strip() for cell in line.strip("|").split(" | ")] if line.startswith("|") else []
            if not cells:
                inside = False
            elif cells[0].strip("| ") == heading:
                inside = True
            elif inside and not cells[0].startswith("---"):
                rows.append([cell.strip("| ") for cell in cells])
    assert rows, f"no page has a table that begins with {heading}"
    return rows


def commands():
    """Return the groot-* command lines of all pages, of blocks and of spans."""
    found = set()
    for text in PAGES.values():
        lines = [line for kind, block in BLOCK.findall(text) if kind == "bash" for line in block.splitlines()]
        found |= {line for line in [*lines, *spans(text)] if re.match(r"groot-\w+ ", line)}
    return sorted(found)


def anchors(text):
    """Return the anchors of a page's headings, as GitHub and MyST name them."""
    headings = re.findall(r"^#+ (.*)$", BLOCK.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


@functools.cache
def example_folder():
    """Write the files of the example into a folder, and return it."""
    folder = Path(tempfile.mkdtemp(prefix="my_env-"))
    for name, content in re.findall(r"^`([\w/.]+)`\n\n```\w+\n(.*?)^```$", EXAMPLE, re.MULTILINE | re.DOTALL):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    (folder / "my_conf/embodiment/my_robot.yaml").touch()  # where the page puts what groot-inspect prints
    return folder


def compose(app, overrides, config_dir=None):
    return OmegaConf.to_container(
        composing.compose(app, *overrides, config_dir=config_dir), resolve=True, throw_on_missing=True
    )


def run_in(folder, *command, timeout_s=240):
    env = os.environ | {"PYTHONPATH": f"{folder}{os.pathsep}{ROOT}"}
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=timeout_s, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return done.stdout
