"""LIBERO's suites as we read them against LIBERO itself, and starts drawn anew against the published ones."""

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from tasks.libero.scene.compose import compose
from tasks.libero.scene.seeded_starts import seeded_start
from tasks.libero.suites.starts import official_starts
from tasks.libero.suites.suites import HORIZONS, libero_task, task_names

pytestmark = pytest.mark.process
DRAWS = 20
APART, HIGH = 0.03, 0.002  # of the ends of a range, as LIBERO also moves its fixtures by up to 2 cm; of heights, m


@pytest.fixture(scope="session")
def theirs(tmp_path_factory):
    file = tmp_path_factory.mktemp("suites") / "suites.json"
    command = [os.environ["LIBERO_PYTHON"], Path(__file__).with_name("record_suites.py"), file]
    subprocess.run(command, check=True, timeout=600, env=os.environ | {"MUJOCO_GL": "glx"})
    return json.loads(file.read_text())


def test_tasks_are_liberos(theirs):
    count = 0
    for suite, tasks in theirs.items():
        assert task_names(suite) == tuple(task["name"] for task in tasks)
        for index, task in enumerate(tasks):
            ours, said = libero_task(suite, index), task["problem"]
            problem = ours.problem
            assert ours.instruction == task["language"]
            assert problem.kind == said["problem_name"]
            for things, group in ((problem.objects, "objects"), (problem.fixtures, "fixtures")):
                named = said[group].items()
                assert list(things.items()) == [(name, category) for category, names in named for name in names]
            assert list(problem.regions) == list(said["regions"])
            for name, region in problem.regions.items():
                of_theirs = said["regions"][name]
                assert [list(ranges) for ranges in region.ranges] == of_theirs["ranges"]
                assert (region.target, list(region.yaw)) == (of_theirs["target"], of_theirs["yaw_rotation"])
            for ours_hold, they_hold in ((problem.initial, "initial_state"), (problem.goal, "goal_state")):
                assert [[each.name, *each.arguments] for each in ours_hold] == said[they_hold]
            assert (official_starts(ours) == task["starts"]).all()
            count += 1
    print(f"\n{count} tasks are read as LIBERO reads them: order, instruction, description and starts")
    assert count == 130


def test_drawn_starts_are_where_the_published_ones_are():
    count, arms = 0, []
    for suite in HORIZONS:
        for index in range(min(10, len(task_names(suite)))):
            task = libero_task(suite, index)
            model = compose(task.problem)
            generators = [np.random.default_rng((count, seed)) for seed in range(DRAWS)]
            drawn = np.stack([seeded_start(task.problem, model, generator) for generator in generators])
            published = official_starts(task)
            assert published.shape[1] == drawn.shape[1]
            for thing in task.problem.objects:
                first = 1 + model.joint(f"{thing}_joint0").qposadr[0]
                here, there = drawn[:, first : first + 7], published[:, first : first + 7]
                for end in (np.min, np.max):
                    ends = np.abs(end(here[:, :2], axis=0) - end(there[:, :2], axis=0))
                    assert ends.max() < APART, (suite, index, thing, ends)
                assert abs(here[:, 2].mean() - there[:, 2].mean()) < HIGH, (suite, index, thing)
                turned = np.abs(np.abs(here[:, 3:].mean(axis=0)) - np.abs(there[:, 3:].mean(axis=0)))
                assert turned.max() < 0.1, (suite, index, thing, turned)
                count += 1
            arms.append((drawn[:, 1:8], published[:, 1:8]))
    drawn, published = (np.concatenate(each) for each in zip(*arms, strict=True))
    assert drawn.mean(axis=0) == pytest.approx(published.mean(axis=0), abs=0.003)
    assert drawn.std(axis=0) == pytest.approx(published.std(axis=0), rel=0.1)
    print(f"\n{count} things of 50 tasks are drawn where the published starts have them")
