"""What README.md and docs/ name is there: pages, links, files, targets of make, ids and embodiments."""

import json
import re
import sys
from importlib.util import find_spec
from pathlib import Path, PurePosixPath

import pytest
from omegaconf import OmegaConf

import tasks
from tests.docs.pages import BLOCK, DOCS, PAGES, ROOT, SPAN, anchors, compose, spans, table

PATH = re.compile(r"(\.ci|conf|docs|groot_wrappers|runners|tasks|tests)/[\w/.]*")
TO_BE_MADE = re.compile(r"my_|_build")  # what a reader writes, and what make docs does


def test_the_readme_is_short():
    assert len(PAGES["README.md"].splitlines()) <= 200


def test_every_page_is_in_the_toctree():
    listed = {"index"}
    for page, text in PAGES.items():
        for tree in re.findall(r"^```{toctree}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
            folder = PurePosixPath(page).parent.relative_to("docs")
            listed |= {(folder / line).as_posix() for line in tree.split() if re.fullmatch(r"[\w/]+", line)}
    pages = {page.removeprefix("docs/").removesuffix(".md") for page in PAGES if page.startswith("docs/")}
    assert pages <= listed


def test_environment_ids_are_registered_or_planned():
    told = {SPAN.findall(row[0])[0]: row for row in table("id")}
    paths = [path for path in ROOT.glob("conf/task/*.yaml") if path.stem != "any"]
    options = {path.stem: OmegaConf.load(path).task.id for path in paths}
    here = {name: row for name, row in told.items() if row[-1] == "here"}
    assert set(here) == set(options.values()), "an id is here once conf/task has it, and planned before"
    assert {row[-1] for row in told.values()} <= {"here", "planned"}
    for name, row in here.items():
        assert name in tasks.TASK_IDS
        option = row[1].strip("`")
        assert options[option] == name
        assert compose("play", [f"task={option}"])["num_envs"] == int(row[2])
    for page, text in PAGES.items():
        assert set(re.findall(r"Isaac-Groot-[\w-]+-v\d", text)) <= set(told), page


def test_every_embodiment_is_told():
    told = {SPAN.findall(row[0])[0] for row in table("embodiment")}
    assert told == {path.stem for path in ROOT.glob("conf/embodiment/*.yaml")}


def test_every_make_target_exists():
    targets = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for page, text in PAGES.items():
        lines = [line for _, block in BLOCK.findall(text) for line in block.splitlines()]
        named = {m[1] for span in [*spans(text), *lines] if (m := re.search(r"(?:^|[A-Z] )make ([a-z0-9-]+)", span))}
        assert named <= targets, page
    assert {SPAN.findall(row[0])[0] for row in table("command") if row[0].startswith("`make")} <= {
        f"make {target}" for target in targets
    }


@pytest.mark.parametrize("page", PAGES)
def test_every_path_and_link_exists(page):
    text = BLOCK.sub("", PAGES[page])
    folder = (ROOT / page).parent
    for link in re.findall(r"\]\(([^)]+)\)", text):
        if link.startswith("https://"):
            continue
        name, _, anchor = link.partition("#")
        target = folder / name if name else ROOT / page
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(target.read_text()), link
    for span in spans(text):
        if PATH.fullmatch(span) and not TO_BE_MADE.search(span):
            assert (ROOT / span).exists(), span


def test_every_picture_is_shown():
    told = "".join(PAGES.values())
    assert all(picture.name in told for picture in DOCS.glob("images/*"))


def test_editors_and_hooks_start_what_is_there():
    for launch in json.loads((ROOT / ".vscode/launch.json").read_text())["configurations"]:
        assert find_spec(launch["module"])
        if "--config-dir" in launch["args"]:
            folder = ROOT / launch["args"][launch["args"].index("--config-dir") + 1]
            assert (folder / "task/toy.yaml").is_file()
    (local,) = OmegaConf.load(ROOT / ".pre-commit-config.yaml").repos
    for hook in local.hooks:
        assert Path(sys.executable).with_name(Path(hook.entry.split()[0]).name).exists()


@pytest.mark.parametrize("page", PAGES)
def test_python_blocks_are_python(page):
    for kind, block in BLOCK.findall(PAGES[page]):
        if kind == "python":
            compile(block, page, "exec")
