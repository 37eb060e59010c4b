"""What README.md and docs/ say is so: commands compose, tables match the code, files and ids that are named exist."""

import dataclasses
import functools
import os
import re
import shlex
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from types import SimpleNamespace

import hydra
import pytest
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf

import tasks
from groot_wrappers.embodiment.embodiment import Embodiment
from groot_wrappers.protocol.client_interface import ClientStats
from groot_wrappers.protocol.server import PolicyServer
from runners.apps import dataset as dataset_app
from runners.apps import report as report_app
from runners.apps.play import OLD_FLAGS
from runners.config.schema import PlayConfig, register_schemas
from runners.episodes.row import EpisodeRow
from runners.launch import command_line
from runners.launch.resolvers import register_resolvers
from runners.statistics.summary import summarise
from runners.utils import exit_codes

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
EXAMPLE = (ROOT / "docs" / "custom_environments.md").read_text()
PAGES = {path.relative_to(ROOT).as_posix(): path.read_text() for path in [ROOT / "README.md", *ROOT.glob("docs/*.md")]}

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`([^`\n]+)`")
KEY_IS_VALUE = re.compile(r"\"?[a-z_]+(\.[a-z_]+)*=[^ ].*")
NOT_OVERRIDES = {"key=value", "update_latest_camera_pose=True"}
PARSERS = {"groot-dataset": dataset_app.make_parser, "groot-report": report_app.make_parser}  # those without Hydra
UNFINISHED = {"task=any"}  # what it leaves open is said beside it


def spans(text):
    """Return what stands between single backticks, outside blocks."""
    return [span.replace("\\|", "|") for span in SPAN.findall(BLOCK.sub("", text))]


def table(heading):
    """Return the rows of the README's tables whose head begins with the given cell."""
    rows, inside = [], False
    for line in README.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")] if line.startswith("|") else []
        if not cells:
            inside = False
        elif cells[0].strip("| ") == heading:
            inside = True
        elif inside and not cells[0].startswith("---"):
            rows.append([cell.strip("| ") for cell in cells])
    assert rows, f"README has no table that begins with {heading}"
    return rows


def commands():
    """Return the groot-* command lines of all pages, of blocks and of spans."""
    found = set()
    for text in PAGES.values():
        lines = [line for kind, block in BLOCK.findall(text) if kind == "bash" for line in block.splitlines()]
        found |= {line for line in [*lines, *spans(text)] if re.match(r"groot-\w+ ", line)}
    return sorted(found)


@functools.cache
def example_folder():
    """Write the files of docs/custom_environments.md into a folder, and return it."""
    folder = Path(tempfile.mkdtemp(prefix="custom_environments-"))
    for name, content in re.findall(r"^`([\w/.]+)`\n\n```\w+\n(.*?)^```$", EXAMPLE, re.MULTILINE | re.DOTALL):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    (folder / "my_conf/embodiment/my_robot.yaml").touch()  # where README puts what groot-inspect prints
    return folder


def compose(app, overrides, config_dir=None):
    register_schemas()
    register_resolvers()
    GlobalHydra.instance().clear()
    with hydra.initialize_config_module("conf", version_base="1.3"):
        extra = [f"hydra.searchpath=[file://{config_dir}]"] if config_dir else []
        config = hydra.compose(app, [*overrides, *extra])
        return OmegaConf.to_container(config, resolve=True, throw_on_missing=True)


def unswept(overrides):
    """Return the first of the values that each override of a multirun gives."""
    GlobalHydra.instance().clear()
    words = [word for word in overrides if not word.startswith("hydra")]  # how jobs are launched is no setting of one
    with hydra.initialize_config_module("conf", version_base="1.3"):
        parsed = OverridesParser.create(GlobalHydra.instance().config_loader()).parse_overrides(words)
    return [
        f"{p.key_or_group}={next(iter(p.sweep_string_iterator()))}" if p.is_sweep_override() else p.input_line
        for p in parsed
    ]


@pytest.mark.parametrize("command", commands())
def test_every_command_composes(command):
    app, *words = shlex.split(command)
    if words == ["--help"]:
        return
    if app in PARSERS:
        PARSERS[app]().parse_args(words)
        return
    config_dir = None
    if words[0] == "--config-dir":
        config_dir, words = example_folder() / words[1], words[2:]
    if words[0] == "-m":
        words = unswept(words[1:])
    compose(app.removeprefix("groot-"), words, config_dir)


@pytest.mark.parametrize(
    "override", sorted(s for s in set(spans(README)) if KEY_IS_VALUE.fullmatch(s) and "..." not in s)
)
def test_every_override_composes(override):
    if override in NOT_OVERRIDES | UNFINISHED:
        return
    words = [word for word in shlex.split(override) if not word.startswith("hydra.")]  # compose leaves Hydra's own out
    of_play = {field.name for field in dataclasses.fields(PlayConfig)}
    if all(re.split(r"[.=]", word)[0] in of_play for word in words):
        compose("play", words)
    else:
        compose("serve", ["policy=lift_cube_expert", *words])


def test_old_arguments_stand_with_their_overrides_and_defaults():
    told = {}
    defaults = compose("play", [])
    for argument, override, default in table("argument"):
        flag, value = shlex.split(argument.strip("`"))
        key, _, now = shlex.split(override.strip("`"))[0].partition("=")
        told[flag] = key
        assert command_line._option_with_id(key, value) == now.strip("'")
        of_key = "lift_cube_franka" if key == "task" else OmegaConf.select(OmegaConf.create(defaults), key)
        assert default.strip("`") == ("null" if of_key is None else str(of_key))
    assert told == OLD_FLAGS


def test_defaults_of_the_settings_are_those_of_the_configuration():
    defaults = OmegaConf.create(compose("play", []))
    for keys, told, *_ in table("key"):
        values = told.split(", ")
        names = SPAN.findall(keys)
        for name, value in zip(names, values if len(values) == len(names) else values * len(names), strict=True):
            if re.fullmatch(r"[\d.]+|null|localhost|cpu|paused", value):
                got = OmegaConf.select(defaults, name)
                assert value == ("null" if got is None else f"{got:g}" if isinstance(got, float) else str(got)), name


def test_environment_ids_are_registered_or_planned():
    told = {SPAN.findall(row[0])[0]: row for row in table("id")}
    paths = [path for path in ROOT.glob("conf/task/*.yaml") if path.stem != "any"]
    options = {path.stem: OmegaConf.load(path).task.id for path in paths}
    here = {name: row for name, row in told.items() if row[-1] == "here"}
    assert set(here) == set(options.values()) & set(told), "an id is here once conf/task has it, and planned before"
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
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for page, text in PAGES.items():
        lines = [line for _, block in BLOCK.findall(text) for line in block.splitlines()]
        named = {m[1] for span in [*spans(text), *lines] if (m := re.match(r"make ([a-z-]+)", span))}
        assert named <= targets, page
    assert {SPAN.findall(row[0])[0] for row in table("command") if row[0].startswith("`make")} <= {
        f"make {target}" for target in targets
    }


@pytest.mark.parametrize("page", PAGES)
def test_every_path_and_link_exists(page):
    text = BLOCK.sub("", PAGES[page])
    folder = (ROOT / page).parent
    for link in re.findall(r"\]\(([^)#]+)", text):
        assert link.startswith("https://") or (folder / link).exists(), link
    headings = {
        re.sub(r"[^\w\- ]", "", h).strip().lower().replace(" ", "-") for h in re.findall(r"^#+ (.*)$", text, re.M)
    }
    assert set(re.findall(r"\]\(#([^)]+)", text)) <= headings
    for span in spans(text):
        if re.fullmatch(r"(\.ci|conf|docs|groot_wrappers|runners|tasks|tests)/[\w/.]*", span):
            assert (ROOT / span).exists(), span


def test_rows_and_summary_have_the_fields_that_are_told():
    row = EpisodeRow(0, 0, "", 0, 0, True, "success", 1, 1.0, 1)
    told = [name for cells in table("field") for name in SPAN.findall(cells[0])]
    assert sorted(told) == sorted(row.to_json())
    client = SimpleNamespace(stats=ClientStats())
    summary = summarise([row], task="", instruction="", wall_s=1, renders=1, client=client)
    told = [name for cells in table("in `summary.json`") for name in SPAN.findall(" ".join(cells))]
    names = {name for name in told if re.fullmatch(r"[a-z_]+", name)}
    assert names - set(summary) == {"gate", "stop"}, "these two are added by the experiment"
    assert {"renders", "server", "errors", "success_rate", "ci_low", "ci_high"} <= set(summary)


def test_exit_codes_are_those_of_the_command_line():
    told = [int(row[0]) for row in table("exit code")]
    assert told == [
        exit_codes.DONE,
        exit_codes.FAILED,
        exit_codes.DONE_WITH_ERRORS,
        exit_codes.GATE_NOT_MET,
        exit_codes.INTERRUPTED,
    ]


def test_messages_under_troubleshooting_are_those_of_the_code():
    """Placeholders of f-strings and ``...`` part what must be found, word for word, in the sources."""
    sources = "".join(p.read_text() for room in ("groot_wrappers", "runners") for p in ROOT.glob(f"{room}/**/*.py"))
    sources = re.sub(r"\"\s+f?\"", "", sources)
    known = [  # a placeholder's value, as README shows it
        (r"Gr00t server at ", "{self._server}: "),
        (r"'video'", "'{name}'"),
        (r"Video key 'video.scene_camera'", "{name.capitalize()} key '{flat_key}'"),
        (r"answer get_action", "answer {endpoint}"),
        (r"horizons.video=2", "`horizons.{kind}`={expected}"),
        (r"horizons.execution=32", "`execution`={execution}"),
        (r"'joint_positions'", "'{key}'"),
    ]
    checked = 0
    for symptom, _ in (row for row in table("message or symptom")):
        for message in SPAN.findall(symptom):
            if " " not in message or message.startswith("ended:"):
                continue
            for shown, written in known:
                message = message.replace(shown, written)  # noqa: PLW2901
            for part in message.split("..."):
                assert part.strip() in sources or part.strip() == "unrecognized arguments", part
            checked += 1
    assert checked > 15


@pytest.mark.parametrize("page", PAGES)
def test_python_blocks_are_python(page):
    for kind, block in BLOCK.findall(PAGES[page]):
        if kind == "python":
            compile(block, page, "exec")


def test_example_has_a_policy_whose_keys_its_embodiment_knows():
    folder = example_folder()
    code = (
        "from my_reach.policy import RaiseHand; from groot_wrappers.protocol.server import PolicyServer; "
        "s = PolicyServer(RaiseHand(), port=0); s.close()"
    )
    run_in(folder, sys.executable, "-c", code)
    embodiment = Embodiment.from_config(
        OmegaConf.to_container(OmegaConf.load(folder / "my_conf/embodiment/my_panda.yaml"))
    )
    assert list(embodiment.video) == ["front"]


def run_in(folder, *command, timeout_s=240):
    env = os.environ | {"PYTHONPATH": str(folder)}
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=timeout_s, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return done.stdout


@pytest.mark.simulator
def test_example_runs_and_succeeds():
    (command,) = [c for c in commands() if "--config-dir" in c and "server=expert" in c]
    app, *words = shlex.split(command)
    out = run_in(example_folder(), Path(sys.executable).with_name(app), *words, "recorder=[]")
    (line,) = [block.strip() for kind, block in BLOCK.findall(EXAMPLE) if kind == "text"]
    assert line in out


@pytest.mark.simulator
def test_recipe_of_the_readme_runs_and_succeeds(tmp_path):
    (recipe,) = [b for kind, b in BLOCK.findall(README) if kind == "python" and "gym.register" in b]
    (command,) = [c for c in commands() if "task.import=my_lift" in c]
    (tmp_path / "my_lift.py").write_text(recipe)
    app, *words = shlex.split(command)
    out = run_in(tmp_path, Path(sys.executable).with_name(app), *words, "recorder=[]")
    assert "1 succeeded" in out
    (plan,) = tmp_path.glob("outputs/*/*/plan.json")
    assert "pick up the heavy cube" in plan.read_text()


@pytest.mark.simulator
def test_wrappers_run_from_python(tmp_path):
    from tasks.lift_cube_franka.expert.joint_expert import LiftCubeExpert

    (block,) = [b for kind, b in BLOCK.findall(README) if kind == "python" and "PolicyClient" in b]
    with PolicyServer(LiftCubeExpert(), port=0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            script = tmp_path / "script.py"
            script.write_text(block.replace('"localhost", 5555', f'"127.0.0.1", {server.port}'))
            out = run_in(tmp_path, sys.executable, script)
        finally:
            server.stop()
            thread.join()
    assert "succeeded [True, True]" in out
