"""States of LIBERO's scenes and what LIBERO's own predicates say of them, for ``verify_goals.py``.

Run by the interpreter of ``make libero-env``::

    MUJOCO_GL=glx .libero/bin/python tests/verify/libero/goals/record.py OUT

Of each kind of predicate, by what it is about (a drawer of that cabinet, a region of that shelf), the first task
that has it: a folder with ``scene.xml``, ``states.npz`` (``qpos``, ``truth`` and ``band``) and ``case.json``. States
are made by setting positions: things on, above, in and beside what they are to be put to, joints about their limits;
half of them hold. In the band is a state whose truth changes if the thing is moved by 2 mm along an axis, or the joint
by 2 mm or 0.01 rad.
"""

import contextlib
import io
import json
import sys
from pathlib import Path

import numpy as np
from libero.libero import benchmark, get_libero_path
from libero.libero.envs import bddl_utils as bddl
from libero.libero.envs.env_wrapper import ControlEnv

SUITES = ("libero_spatial", "libero_object", "libero_goal", "libero_10", "libero_90")
EACH = 20  # states that hold, and as many that do not, of each kind
TRIES = 4000
BAND, TURN = 0.002, 0.01  # m, rad


def cases():
    """Return (suite, index, predicate) of the first predicate of each kind, by what it is about."""
    found = {}
    for name in SUITES:
        with contextlib.redirect_stdout(io.StringIO()):
            suite = benchmark.get_benchmark(name)(task_order_index=0)
        for index in range(suite.get_num_tasks()):
            problem = bddl.robosuite_parse_problem(suite.get_task_bddl_file_path(index))
            category = {
                thing: kind
                for group in ("objects", "fixtures")
                for kind, things in problem[group].items()
                for thing in things
            }
            for predicate in problem["goal_state"]:
                about = predicate[-1]
                if about in problem["regions"]:
                    target = problem["regions"][about]["target"]
                    about = (
                        category[target]
                        if problem["regions"][about]["ranges"]
                        else about.replace(target, category[target])
                    )
                else:
                    about = category[about]
                found.setdefault((predicate[0], about), (suite, index, predicate))
    return found


class Recorder:
    """One scene of LIBERO's."""

    def __init__(self, suite, index, predicate, seed):
        task = suite.get_task(index)
        path = Path(get_libero_path("bddl_files")) / task.problem_folder / task.bddl_file
        env = ControlEnv(bddl_file_name=str(path), has_offscreen_renderer=False, use_camera_obs=False)
        env.seed(seed)
        env.reset()
        self.env, self.sim, self.predicate = env.env, env.env.sim, predicate
        self.random = np.random.default_rng(seed)
        self.first = self.sim.data.qpos.copy()

    def holds(self):
        self.sim.forward()
        return bool(self.env._eval_predicate(self.predicate))

    def joints(self):
        """Addresses and whether they turn, of the joints that the predicate is about."""
        name = self.predicate[1]
        things = self.env.object_sites_dict if name in self.env.object_sites_dict else self.env.fixtures_dict
        names = things[name].joints
        model = self.sim.model
        return [(model.get_joint_qpos_addr(n), model.jnt_type[model.joint_name2id(n)] == 3) for n in names]

    def address(self, thing):
        return self.sim.model.get_joint_qpos_addr(self.env.objects_dict[thing].joints[-1])[0]

    def thing(self, name):
        return self.sim.data.body_xpos[self.env.obj_body_id[name]].copy()

    def touch(self, first, second):
        self.sim.forward()
        return self.env.check_contact(self.env.get_object(first), self.env.get_object(second))

    def turn(self, thing, tilt=0.0):
        """Turn a thing about the vertical by any angle, and perhaps tilt it."""
        at, first = self.address(thing), self.first
        yaw, axis = self.random.uniform(0, 2 * np.pi), self.random.normal(size=3) * [1, 1, 0]
        axis /= np.linalg.norm(axis)
        lean = self.random.uniform(0, tilt)
        for turn in ([np.cos(lean / 2), *np.sin(lean / 2) * axis], [np.cos(yaw / 2), 0, 0, np.sin(yaw / 2)]):
            first = np.concatenate([first[: at + 3], multiply(np.array(turn), first[at + 3 : at + 7]), first[at + 7 :]])
        self.sim.data.qpos[at + 3 : at + 7] = first[at + 3 : at + 7]

    def make(self):
        """Set some state that may hold or not, as likely."""
        qpos = self.sim.data.qpos
        qpos[:] = self.first
        if len(self.predicate) == 2:
            low, high = -0.2, 0.2
            for at, turns in self.joints():
                joint = next(j for j in range(self.sim.model.njnt) if self.sim.model.jnt_qposadr[j] == at)
                low, high = self.sim.model.jnt_range[joint]
                qpos[at] = self.random.uniform(low, high)
                if self.random.random() < 0.5:
                    limit = self.random.choice([-0.14, 0.0, -1.3, -0.005, 0.5])
                    qpos[at] = limit + self.random.normal() * (0.03 if turns else 0.005)
            return
        kind, thing, about = self.predicate
        site = self.env.object_sites_dict.get(about)
        owner = site.parent_name if site is not None else about
        if owner in self.env.objects_dict:
            at = self.address(owner)
            qpos[at : at + 2] += self.random.uniform(-0.03, 0.03, 2)
            self.turn(owner, tilt=0.15)
        for at, _ in self.joints_of(owner):
            qpos[at] = self.random.uniform(*self.sim.model.jnt_range[self.joint_at(at)])
        self.turn(thing, tilt=0.3 if self.random.random() < 0.3 else 0.0)
        at = self.address(thing)
        qpos[at : at + 3] = [5.0, 5.0, 5.0]
        self.sim.forward()
        if site is None:
            angle, away = self.random.uniform(0, 2 * np.pi), self.random.uniform(0, 0.05)
            place, size = self.thing(about) + away * np.array([np.cos(angle), np.sin(angle), 0]), np.full(3, 0.05)
        else:
            turned = self.sim.data.get_site_xmat(about)
            size = np.array(site.size, float)
            local = self.random.uniform(-1.3, 1.3, 3) * size
            place = self.sim.data.get_site_xpos(about) + turned @ local
        qpos[at : at + 3] = place
        if kind == "on" and owner is not None and self.random.random() < 0.9:
            self.lower(thing, owner, at, place)
        elif kind == "on":
            qpos[at + 2] = place[2] + self.random.uniform(-0.02, 0.13)

    def joints_of(self, owner):
        fixture = self.env.fixtures_dict.get(owner)
        names = fixture.joints if fixture is not None else []
        return [(self.sim.model.get_joint_qpos_addr(name), None) for name in names]

    def joint_at(self, address):
        return next(j for j in range(self.sim.model.njnt) if self.sim.model.jnt_qposadr[j] == address)

    def lower(self, thing, owner, at, place):
        """Let the thing down until it touches, then press it in or lift it off by some millimetres."""
        qpos = self.sim.data.qpos
        high = place[2] + 0.20
        for low in np.arange(high, place[2] - 0.10, -0.004):
            qpos[at + 2] = low
            if self.touch(owner, thing):
                break
            high = low
        else:
            return
        for _ in range(6):
            qpos[at + 2] = (low + high) / 2
            low, high = (qpos[at + 2], high) if self.touch(owner, thing) else (low, qpos[at + 2])
        qpos[at + 2] = low + self.random.choice([-0.004, -0.003, -0.0005, 0.001, 0.004])

    def in_band(self):
        """Whether a little way changes the truth of the state that is set."""
        qpos = self.sim.data.qpos
        before, truth = qpos.copy(), self.holds()
        if len(self.predicate) == 2:
            steps = [(at, TURN if turns else BAND) for at, turns in self.joints()]
        else:
            steps = [(self.address(self.predicate[1]) + axis, BAND) for axis in range(3)]
        changed = False
        for at, step in steps:
            for sign in (-1, 1):
                qpos[:] = before
                qpos[at] += sign * step
                changed |= self.holds() != truth
        qpos[:] = before
        return changed

    def record(self):
        """Return qpos (n, nq), truth (n,) and band (n,)."""
        rows = {True: [], False: []}
        for _ in range(TRIES):
            self.make()
            truth = self.holds()
            if len(rows[truth]) < EACH:
                rows[truth].append((self.sim.data.qpos.copy(), truth, self.in_band()))
            if all(len(kept) == EACH for kept in rows.values()):
                break
        return [np.array(column) for column in zip(*rows[True], *rows[False], strict=True)]


def multiply(first, second):
    """Product of two quaternions, w first."""
    w, x, y, z = first
    matrix = np.array([[w, -x, -y, -z], [x, w, -z, y], [y, z, w, -x], [z, -y, x, w]])
    return matrix @ second


def main(out):
    for number, ((kind, about), (suite, index, predicate)) in enumerate(cases().items()):
        folder = out / f"{number:02d}"
        folder.mkdir(parents=True, exist_ok=True)
        recorder = Recorder(suite, index, predicate, seed=number)
        # As in reference.py: the XML that MuJoCo writes forgets which geoms weigh.
        xml = recorder.sim.model.get_xml().replace("<compiler ", '<compiler inertiagrouprange="0 0" ', 1)
        (folder / "scene.xml").write_text(xml)
        qpos, truth, band = recorder.record()
        np.savez(folder / "states.npz", qpos=qpos, truth=truth, band=band)
        said = {"suite": suite.name, "index": index, "predicate": predicate, "kind": kind, "about": about}
        (folder / "case.json").write_text(json.dumps(said))
        print(number, kind, about, f"{truth.sum()} of {len(truth)} hold, {band.sum()} in the band", flush=True)
        recorder.env.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
