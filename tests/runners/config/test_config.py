"""The configuration: every shipped option composes and builds, and a mistake is told with what mends it."""

import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hydra.utils import get_class, get_object
from omegaconf import DictConfig, OmegaConf

from groot_wrappers.embodiment.embodiment import Embodiment
from groot_wrappers.protocol.client import PolicyClient
from runners.apps import play, serve
from runners.config.schema import InstructionPer
from runners.episodes.plan import instruction_texts, make_plan
from tests.support.composing import compose
from tests.support.processes import GROOT_PLAY, ROOT, play_in_this_process

CONF = ROOT / "conf"
OPTIONS = sorted(path.relative_to(CONF).with_suffix("") for path in CONF.glob("*/*.yaml"))
OPTION_IDS = [str(option) for option in OPTIONS]


def targets(node):
    """Yield every _target_ below a node."""
    for key, value in node.items_ex(resolve=False) if isinstance(node, DictConfig) else enumerate(node):
        if key == "_target_":
            yield value
        elif OmegaConf.is_config(value):
            yield from targets(value)


@pytest.mark.isaaclab
@pytest.mark.slow
@pytest.mark.parametrize("option", OPTIONS, ids=OPTION_IDS)
def test_every_option_composes_and_its_targets_exist(option):
    if str(option) == "viewer/viser":
        pytest.importorskip("viser")  # keeps rich below what else is tested here
    group, name = option.parts
    config = compose("serve" if group == "policy" else "play", f"{group}={name}")
    # What is left open is open on purpose: which env it is, and which checkpoint.
    is_open = str(option) in ("task/any", "policy/gr00t", "policy/lerobot")
    resolved = OmegaConf.to_container(config, resolve=True, throw_on_missing=not is_open)
    for target in targets(OmegaConf.create(resolved)):
        get_object(target)
    if "embodiment" in config:
        embodiment = OmegaConf.to_object(config.embodiment)
        assert isinstance(embodiment, Embodiment)
        assert embodiment.is_empty == (str(option) in ("embodiment/declared", "task/any"))


@pytest.mark.process
@pytest.mark.parametrize("option", [o for o in OPTIONS if o.parts[0] == "task" and o.name != "any"], ids=str)
def test_task_of_an_option_is_registered_by_its_import(option):
    """In a process of its own: importing a task's module must be enough, and must not start a simulator."""
    task = compose("play", f"task={option.name}").task
    code = (
        f"import sys, gymnasium, {task['import']}; spec = gymnasium.spec({task['id']!r}); "
        "assert 'env_cfg_entry_point' in spec.kwargs; assert 'isaaclab' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=60)


LIFT_EXPERT = "tasks.lift_cube_franka.expert.joint_expert.LiftCubeExpert"


def experts():
    """Return task and embodiment of each scripted policy that a task's YAML names."""
    tasks = {path.stem: OmegaConf.load(path).task for path in sorted(CONF.glob("task/*.yaml"))}
    return [
        (task, embodiment)
        for task, content in tasks.items()
        for embodiment, part in content.get("embodiments", {}).items()
        if "expert" in part
    ]


@pytest.mark.isaaclab
@pytest.mark.parametrize(("task", "embodiment"), experts())
def test_an_embodiment_chooses_the_tasks_expert(task, embodiment):
    config = compose("play", f"task={task}", f"embodiment={embodiment}", "server=expert")
    expert = get_class(config.server.policy._target_)()
    wanted = set(expert.get_modality_config()["video"].modality_keys)
    assert wanted <= set(config.embodiment.video), "the expert looks at what the embodiment shows"
    served = {OmegaConf.load(path)._target_ for path in CONF.glob("policy/*_expert.yaml")}
    assert config.server.policy._target_ in served, "groot-serve hosts it too: policy=..."


def test_every_task_has_an_expert_for_its_own_embodiment_unless_it_is_told_to_have_none():
    without = {"any", "pick_place_gr1t2_two_hands", *(path.stem for path in CONF.glob("task/libero_*.yaml"))}
    for task in (path.stem for path in CONF.glob("task/*.yaml")):
        settings = compose("play", f"task={task}").task
        assert ("expert" in settings) == (task not in without), task
        assert "embodiments" not in settings, "the part of the chosen one is taken"


def test_what_an_embodiment_changes_of_the_env_is_the_tasks_and_gives_way_to_what_is_set():
    libero = compose("play", "embodiment=libero_panda", "+task.env.sim.render_interval=3").task.env
    assert (libero.decimation, libero.sim.render_interval) == (6, 3)
    assert compose("play", "embodiment=oxe_droid_panda_hand").task.env.decimation == 8
    assert "env" not in compose("play").task


@pytest.mark.parametrize(
    ("override", "expert"),
    [
        ("task.expert._target_=my.Policy", {"_target_": "my.Policy"}),
        (
            "task.expert.horizon=8",
            {"_target_": LIFT_EXPERT, "horizon": 8},
        ),
        ("task.expert={_target_: my.Policy, speed: 2}", {"_target_": "my.Policy", "speed": 2}),
        ("+policy@task.expert=replay", {"_target_": "runners.datasets.replay.ReplayPolicy"}),
    ],
)
def test_expert_of_ones_own_takes_the_place_of_the_tasks(override, expert):
    assert expert.items() <= compose("play", "server=expert", override).server.policy.items()


@pytest.mark.parametrize(
    ("choices", "told"),
    [
        (
            ["embodiment=oxe_droid_panda_hand"],
            "task=lift_cube_franka has no scripted policy for embodiment=oxe_droid_panda_hand. It has one for: "
            "libero_panda, libero_sim, new_embodiment. Set embodiment=libero_panda",
        ),
        (["task=pick_place_gr1t2_two_hands"], "for embodiment=gr1. It has one for: none. Name a policy server"),
    ],
)
@pytest.mark.parametrize("server", ["expert", "latency"])
def test_a_missing_expert_is_told_with_those_there_are(command, monkeypatch, server, choices, told):
    monkeypatch.setattr(play, "play", play_in_this_process)
    code, _, err = command(play, *choices, f"server={server}", "hydra.run.dir=run")
    assert code == 1
    assert f"server={server} was asked for" in err
    assert told in err


def test_delay_of_the_server_is_typed_and_known_to_that_server_alone(command):
    assert compose("play", "server=latency", "server.base_ms=5").server.policy.base_ms == 5
    for mistake, told in [
        (["server=latency", "server.base_ms=long"], "server.base_ms takes a number"),
        (["server=expert", "server.base_ms=5"], "There is no key 'server.base_ms'"),
    ]:
        code, _, err = command(play, *mistake)
        assert code == 1
        assert told in err


@pytest.mark.parametrize("option", [o.name for o in OPTIONS if o.parts[0] == "instruction"])
def test_texts_of_a_suite_take_turns(option):
    text = OmegaConf.to_container(compose("play", f"instruction={option}").instruction, resolve=True)["text"]
    texts = instruction_texts(text, "pick up the cube", per=InstructionPer.episode, num_envs=1)
    assert texts == (text if isinstance(text, list) else ["pick up the cube" if text is None else text])
    assert len(set(texts)) == len(texts), "each is counted apart"
    assert [episode.instruction for episode in make_plan(2 * len(texts), 0, texts)] == texts * 2


def test_defaults_are_those_that_are_documented():
    config = compose("play")
    assert (config.num_envs, config.episodes, config.seed) == (1, 1, 0)
    assert config.instruction.text is None, "what the env's config declares"
    assert (config.server.host, config.server.port) == ("localhost", 5555)
    assert (config.server.connect_timeout_s, config.server.timeout_s) == (30, 60)
    assert config.server.observation_form.value == "nested"
    horizons = config.horizons
    assert (horizons.episode, horizons.video, horizons.state, horizons.execution) == (225, None, None, 1)
    assert list(config.recorder) == ["video", "wandb"]
    assert config.recorder.wandb.mode == "offline"
    assert (config.gate.min_success, config.stop.ci_width) == (None, None)
    assert compose("play", "num_envs=4").episodes == 4
    assert compose("play", "horizons=chunked").horizons.execution == 8
    assert compose("play", "task=lift_cube_franka_play").num_envs == 16
    assert compose("play", "task=lift_cube_franka_play", "num_envs=2").num_envs == 2
    assert compose("play", "recorder=[]").recorder == {}


def test_configuration_holds_no_secret():
    keys = " ".join(str(key) for key in OmegaConf.to_container(compose("play", "server=expert")))
    assert "token" not in OmegaConf.to_yaml(compose("play")).lower() + keys


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["num_env=4"], ["There is no key 'num_env'", "Did you mean 'num_envs'?"]),
        (["server.prot=5556"], ["There is no key 'server.prot'", "Did you mean 'server.port'?"]),
        (["horizon.execution=8"], ["Did you mean 'horizons.execution'?"]),
        (["port=5556"], ["There is no key 'port'", "Did you mean 'server.port'?"]),
        (["recorder.wandb.mod=online"], ["Did you mean 'recorder.wandb.mode'?"]),
        (["instruction.txt=lift"], ["Did you mean 'instruction.text'?"]),
        (["gate.min_succes=0.8"], ["Did you mean 'gate.min_success'?"]),
        (["stop.ci_width=narrow"], ["stop.ci_width=narrow was asked for", "takes a number or null"]),
        (["sim.devise=cpu"], ["Did you mean 'sim.device'?"]),
        (["task=lift_cube_frnka"], ["There is no task=lift_cube_frnka", "Did you mean 'lift_cube_franka'?"]),
        (["server=expurt"], ["Did you mean 'expert'?", "expert, gr00t"]),
        (["recorder=[vidio]"], ["There is no recorder=vidio", "Did you mean 'video'?"]),
        (["serv=expert"], ["There is no key 'serv'", "Did you mean 'server'?"]),
        (["embodiment.action.joint_positions.joint=[a]"], ["embodiment.action.joint_positions.joints"]),
        (["server.api_token=sesame"], ["GR00T_API_TOKEN", "never part of the configuration"]),
        (["+server.api_token=sesame"], ["GR00T_API_TOKEN"]),
        (["+num_env=4"], ["Did you mean 'num_envs'?"]),
        (["num_envs=four"], ["num_envs=four was asked for", "takes a whole number, such as num_envs=1"]),
        (["server.port=high"], ["server.port=high was asked for", "takes a whole number, such as server.port=5555"]),
        (["server.timeout_s=long"], ["server.timeout_s=long was asked for", "takes a number"]),
        (["horizons.execution=null"], ["horizons.execution"]),
        (["horizons.video=1.5"], ["horizons.video", "1.5"]),
        (["clock=reel"], ["clock", "paused, real"]),
        (["server.observation_form=flatt"], ["server.observation_form", "nested, flat"]),
        (["episodes=[1,2]"], ["episodes"]),
        (["num_envs"], ["num_envs"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_mistake_is_told_with_what_mends_it(command, arguments, told):
    code, _, err = command(play, *arguments)
    assert code == 1
    assert "Traceback" not in err
    assert len(err.strip().splitlines()) <= 6, "a message, not a report"
    for part in told:
        assert part in err
    assert "sesame" not in err, "a token is not repeated"


@pytest.mark.parametrize("arguments", [["--verbosity"], ["num_envs=2", "-m", "seed=1,2"]], ids=" ".join)
def test_flag_that_hydra_does_not_take_is_a_refusal_too(command, arguments):
    code, _, err = command(play, *arguments)
    assert code == 1, "2 is for runs with errored episodes"
    assert "Flags such as -m come first, then the settings as key=value" in err


@pytest.mark.parametrize("override", ["gate.min_success=80", "stop.ci_width=0", "gate.min_success=1"])
def test_share_that_is_none_is_refused_at_once(command, monkeypatch, override):
    monkeypatch.setattr(play, "play", play_in_this_process)
    code, _, err = command(play, override, "server.connect_timeout_s=0.1", "hydra.run.dir=run")
    assert code == 1
    assert f"{override} was asked for, but it is a share between 0 and 1" in err


def test_rule_that_nothing_asks_for_is_refused_at_once(command, monkeypatch):
    monkeypatch.setattr(play, "play", play_in_this_process)
    code, _, err = command(play, "stop.on=progress", "server.connect_timeout_s=0.1", "hydra.run.dir=run")
    assert code == 1
    assert "stop.on=progress was asked for, but nothing ends the run early. Set stop.ci_width=0.1" in err


@pytest.mark.parametrize("key", ["num_envs", "episodes", "horizons.episode", "horizons.execution", "seed"])
@pytest.mark.parametrize("value", [-1, 0])
def test_number_that_makes_no_run_is_refused_at_once(command, monkeypatch, key, value):
    if (key, value) == ("seed", 0):
        pytest.skip("0 is a seed")
    monkeypatch.setattr(play, "play", play_in_this_process)
    code, _, err = command(play, f"{key}={value}", "server.connect_timeout_s=0.1", "hydra.run.dir=run")
    assert code == 1
    assert f"{key}={value} was asked for, but the least is" in err


@pytest.mark.isaaclab
@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        (["server.endpoints=[10.0.0.7]"], "server.endpoints holds '10.0.0.7', but each entry is host:port"),
        (["server.endpoints=[localhost:high]"], "server.endpoints holds 'localhost:high'"),
        (["server.endpoints=[h:1,h:1]"], "a group takes one client for each of its servers"),
        (["server=expert", "server.endpoints=[h:1,h:2]"], "Leave server.endpoints out, or set server=gr00t"),
    ],
)
def test_endpoints_that_make_no_run_are_refused_at_once(command, monkeypatch, overrides, told):
    monkeypatch.setattr(play, "play", play_in_this_process)
    code, _, err = command(play, *overrides, "hydra.run.dir=run")
    assert code == 1
    assert told in err


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        (["horizons.delay=4"], "with clock=paused the world waits for each answer. Set clock=real"),
        (["clock=real", "horizons.delay=4"], "Set horizons.delay to 0 ... 1, or horizons.execution higher"),
        (["clock=real", "horizons=chunked", "horizons.delay=-1"], "Set horizons.delay to 0 ... 8"),
    ],
)
def test_delay_that_does_not_go_with_the_rest_is_refused_at_once(command, monkeypatch, overrides, told):
    monkeypatch.setattr(play, "play", play_in_this_process)
    code, _, err = command(play, *overrides, "hydra.run.dir=run")
    assert code == 1
    assert told in err


def test_several_mistakes_in_a_multirun_are_told_too(command):
    code, _, err = command(play, "-m", "num_env=1,2")
    assert code == 1
    assert "Did you mean 'num_envs'?" in err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--server_port", "5556"], ["--server_port is now server.port=5556"]),
        (["--server_port=5556"], ["--server_port is now server.port=5556"]),
        (["--server_host", "10.0.0.7", "--num_envs", "4"], ["server.host=10.0.0.7", "num_envs=4"]),
        (["--task", "Isaac-Groot-Lift-Cube-Franka-Play-v0"], ["--task is now task=lift_cube_franka_play"]),
        (["--language_instruction", "lift it"], ["is now \"instruction.text='lift it'\""]),
        (["--horizon", "500"], ["horizons.episode=500"]),
        (["--video_horizon", "1", "--state_horizon", "1"], ["horizons.video=1", "horizons.state=1"]),
        (["--num_envs"], ["num_envs=..."]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_flag_of_the_earlier_command_line_is_told_its_override(command, arguments, told):
    code, _, err = command(play, *arguments)
    assert code == 1
    for part in told:
        assert part in err


@pytest.mark.parametrize(
    "text", ["pick up the cube", "it's red", 'say "hi"', "a=b, c", "back\\slash", "end\\", "\\'", "5 $ or `ls`!"]
)
def test_override_that_is_told_for_an_instruction_can_be_pasted_into_a_shell(command, text):
    """What is told is split as a shell would, composed by Hydra, and gives the text that the person had typed."""
    _, _, err = command(play, "--language_instruction", text)
    (line,) = [line for line in err.splitlines() if " is now " in line]
    (override,) = shlex.split(line.partition(" is now ")[2])
    assert compose("play", override).instruction.text == text


def test_every_flag_of_the_earlier_command_line_leads_to_a_key_that_exists():
    config = compose("play")
    missing = object()
    assert len(play.OLD_FLAGS) == 8
    for key in play.OLD_FLAGS.values():
        assert OmegaConf.select(config, key, default=missing) is not missing or key.startswith("horizons."), key
        assert key.rpartition(".")[2] in OmegaConf.select(config, key.rpartition(".")[0] or "", default=config)


def test_serve_knows_its_own_keys(command):
    code, _, err = command(serve, "policy=lift_cube_expert", "prot=5556")
    assert code == 1
    assert "Did you mean 'port'?" in err
    code, _, err = command(serve)
    assert code == 1
    assert "No policy was named" in err
    assert "policy=lift_cube_expert" in err
    code, out, _ = command(serve, "--help")
    assert code == 0
    assert re.search(r"^policy= .*\blift_cube_expert, ", out.replace(",\n              ", ", "), re.MULTILINE)


def test_a_right_command_line_reaches_the_work(command, tmp_path):
    code, _, err = command(play, "num_envs=2", "horizons=chunked", "hydra.run.dir=run")
    assert (code, err) == (0, "")
    assert Path("run/.hydra/config.yaml").exists()


def test_interrupt_ends_a_multirun(command, monkeypatch):
    played = []

    def interrupted(composition):
        played.append(composition.config.seed)
        raise KeyboardInterrupt

    monkeypatch.setattr(play, "play", interrupted)
    assert command(play, "-m", "seed=1,2,3")[0] == 130
    assert played == [1]


@pytest.mark.process
def test_help_answers_at_once_without_simulator_or_torch():
    """Through the real entry point, with a look at what was imported as the process ends."""
    watch = (
        "import atexit, sys\n"
        "heavy = {'torch', 'isaaclab', 'wandb', 'warp', 'av'}\n"
        "atexit.register(lambda: print('imported:', sorted(heavy & set(sys.modules))))\n"
        "from runners.apps.play import main\n"
        "sys.argv = ['groot-play', '--help']\n"
        "main()\n"
    )
    helped = subprocess.run(
        [sys.executable, "-c", watch], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert helped.returncode == 0, helped.stderr
    assert "imported: []" in helped.stdout
    for told in ("server=expert", "GR00T_API_TOKEN", "embodiment=", "Exit codes", "horizons="):
        assert told in helped.stdout


@pytest.mark.process
def test_command_is_installed():
    told = subprocess.run(
        [str(GROOT_PLAY), "--server_port", "5556"], capture_output=True, text=True, timeout=60, check=False
    )
    assert told.returncode == 1
    assert "server.port=5556" in told.stderr


@pytest.mark.process
@pytest.mark.parametrize(
    ("start", "number"),
    [
        ([str(GROOT_PLAY.with_name("groot-serve"))], signal.SIGINT),
        ([sys.executable, "-m", "runners.apps.serve"], signal.SIGHUP),
    ],
    ids=["command", "module"],
)
def test_serve_serves_until_it_is_interrupted(tmp_path, monkeypatch, start, number):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    command = [*start, "policy=toy", "port=0"]
    process = subprocess.Popen(
        [*command, "--config-dir", str(ROOT / "tests/support/toys/conf")],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        told = process.stdout.readline()
        port = int(re.search(r"Serving on tcp://127.0.0.1:(\d+); Ctrl-C ends it", told)[1])
        with PolicyClient("127.0.0.1", port, connect_timeout_s=10, timeout_s=10) as client:
            client.wait_until_ready()
            assert list(client.get_modality_config()["action"].modality_keys) == ["joints"]
        process.send_signal(number)
        rest, _ = process.communicate(timeout=15)
        assert process.returncode == 0
        assert "Traceback" not in rest
    finally:
        process.kill()
        process.wait(10)
    assert list(tmp_path.iterdir()) == [], "a server leaves no run folder behind"


def test_get_class_is_not_fooled():
    """The test above that resolves targets would fail for a class that is gone."""
    with pytest.raises(Exception, match="nowhere"):
        get_class("runners.recorders.nowhere.Recorder")
