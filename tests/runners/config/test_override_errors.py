"""What is told of a wrong command line or YAML file: the nearest right key, what it takes, and how it is written."""

from pathlib import Path

import pytest

from runners.apps import play

INNER_WORDS = (
    "full_key",
    "object_type",
    "reference_type",
    "hydra.cc",
    "converted to",
    "of type",
    "in struct",
    "Traceback",
)


@pytest.fixture
def refusal(command):
    """Return what a command line is refused with, which is one message without words of Hydra's or OmegaConf's own."""

    def told(*arguments):
        code, out, err = command(play, *arguments)
        assert (code, out) == (1, "")
        assert not [word for word in INNER_WORDS if word in err], err
        assert len(err.strip().splitlines()) == 1, err
        return err

    return told


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("seed=true", "seed takes a whole number, such as seed=0"),
        ("episodes=1e3", "such as episodes=1000"),
        ("num_envs=", "num_envs= was asked for, but num_envs takes a whole number"),
        ("num_envs={a: 1}", "num_envs takes a whole number"),
        ("gate.min_success=80%", "takes a number or null, such as gate.min_success=0.8"),
        ("fresh=maybe", "fresh takes true or false"),
        ("clock=rael", "clock takes one of paused, real. Did you mean 'real'?"),
        ("server.host=null", "takes a text, such as server.host=localhost"),
        ("server.endpoints=10.0.0.7:5555", '"server.endpoints=[10.0.0.7:5555]"'),
        ("server.endpoints={a: 1}", "server.endpoints takes a list"),
        ("gate=0.8", "gate is a group of keys, each set by itself: gate.min_success"),
        ("hydra.job.chdir=maybe", "hydra.job.chdir takes true or false or null"),
        ("resume=[a]", "resume takes a text or null"),
        ("episodes=" + 5000 * "9", "more than 4300 digits"),
    ],
    ids=lambda value: value[:30],
)
def test_wrong_type_is_told_with_the_right_one_and_an_example(refusal, override, told):
    assert told in refusal(override)


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("num_envs=[1", "']' is missing. num_envs takes a whole number"),
        ("num_envs==3", "'=' is in it"),
        ("instruction.text='lift", "the quote ' is not closed. Where a text is meant, it stands in quotes"),
        ("instruction.text=größer", "'ö' is in it"),
        ("instruction.text=lift (it)", "\"instruction.text='lift (it)'\""),
        ("seed=range(", "')' is missing"),
        ("seed=rage(3)", "no function rage(...). Did you mean 'range'?"),
        ("seed=choice()", "choice(...) is written choice(a,b)"),
        ("seed=0,,1", "there is nothing between two commas"),
        ("num envs=3", "'num envs' can be no key"),
        ("num_envs", "settings are key=value. num_envs takes a whole number"),
        ("=3", "a key is missing before it"),
        ("k" * 5000 + "=1", "nothing here has so long a name"),
        ("task=" + 5000 * "x", "nothing here has so long a name"),
    ],
    ids=lambda value: value[:30],
)
def test_what_cannot_be_read_is_told_with_how_it_is_written(refusal, override, told):
    assert told in refusal(override)


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("seed=1,2", "groot-play -m seed=1,2"),
        ("seed=range(3)", "groot-play -m 'seed=range(3)'"),
        ("recorder=video,wandb", "'recorder=[video,wandb]'"),
        ("instruction.text=lift it, now", "\"instruction.text='lift it, now'\""),
        ("server=[gr00t,expert]", "server takes one option"),
    ],
)
def test_several_values_are_told_with_what_can_be_meant(refusal, override, told):
    assert told in refusal(override)


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("~num_envs", "'num_envs' cannot be taken away. num_envs takes a whole number"),
        ("~server.host", "'server.host' cannot be taken away. server.host takes a text"),
        ("~server", "Choose one of its options: server=expert, gr00t"),
        ("~task", "Choose one of its options: task=any"),
        ("~gate", "'gate' cannot be taken away"),
        ("~recorder", '"recorder=[]" leaves out all of them'),
        ("~num_env", "There is no key 'num_env'. Did you mean 'num_envs'?"),
    ],
)
def test_key_that_is_taken_away_is_told_as_needed(refusal, override, told):
    assert told in refusal(override)


@pytest.mark.isaaclab
@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("server=3", "There is no server=3. It can be expert"),
        ("recorder=null", 'none "recorder=[]"'),
        ("instruction=lift it", "A text of your own is \"instruction.text='lift the red block'\""),
        ("task=../any", "There is no task=../any."),
        ("hydra/launcher=nope", "There is no hydra/launcher=nope. It can be basic, joblib"),
        ("hydra/job_logging=nonne", "Did you mean 'none'?"),
        ("hydra.launcher.n_jobs=2", "is hydra/launcher=joblib or hydra/launcher=slurm meant?"),
        ("hydra.run.dri=x", "Did you mean 'hydra.run.dir'?"),
        ("policy=replay", "There is no key 'policy'."),
        ("+num_envs=3", "'num_envs' is there already, so that + cannot add it"),
        ("+embodiment.state.arm.obs=policy.arm", "There is no key 'embodiment.state.arm.obs'"),
        ("embodiment.state={arm: {obs: policy.arm}}", "An embodiment's own YAML file adds one"),
        ("gate={min_succes: 0.8}", "There is no key 'gate.min_succes'. Did you mean 'gate.min_success'?"),
        ("recorder.video={frame: beats}", "Did you mean 'recorder.video.frames'?"),
        ("recorder.video.colour=red", "is added by +recorder.video.colour=..."),
        ("hydra.verbose=3", "Look at those that begin with hydra"),
        ("hydra.searchpath=[file://nowhere]", "nowhere, but there is no such folder"),
    ],
)
def test_what_is_not_there_is_told_with_what_is(command, override, told):
    code, _, err = command(play, override)
    assert code == 1
    assert told in err
    assert not [word for word in INNER_WORDS if word in err], err


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("seed=${nope}", "seed=${nope}: there is no key 'nope' that ${nope} could stand for"),
        ("seed=${nope:1}", "there is no function 'nope'"),
        ("seed=${seed}", "seed=${seed}: it refers to itself"),
        ("seed=${oc.env:NO_SUCH_VARIABLE}", "Environment variable 'NO_SUCH_VARIABLE' not found"),
        ("seed=${horizons}", "seed=${horizons} was asked for, but seed takes a whole number"),
    ],
)
def test_reference_to_what_is_not_there_is_told_before_a_server_is_asked(command, monkeypatch, override, told):
    from tests.support.processes import play_in_this_process

    monkeypatch.setattr(play, "play", play_in_this_process)
    code, _, err = command(play, override)
    assert code == 1
    assert told in err
    assert not [word for word in INNER_WORDS if word in err], err


@pytest.mark.parametrize(
    ("yaml", "told"),
    [
        ("num_envs: many", "In task/mine.yaml: num_envs=many was asked for, but num_envs takes a whole number"),
        ("num_env: 4", "In task/mine.yaml: There is no key 'num_env'. Did you mean 'num_envs'?"),
        ("num_envs: [1", "mine.yaml, line 4: expected ',' or ']'"),
    ],
)
def test_mistake_in_a_yaml_file_is_told_with_the_file(refusal, tmp_path, yaml, told):
    (tmp_path / "my_conf/task").mkdir(parents=True)
    (tmp_path / "my_conf/task/mine.yaml").write_text(f"# @package _global_\ndefaults: [any]\n{yaml}\n")
    assert told in refusal("--config-dir", str(tmp_path / "my_conf"), "task=mine")


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        (["seed=range(0)"], "seed=range(0) was asked for, but it names no value, so that there is nothing to play"),
        (["seed=1,2", "instruction=glob(nope*)"], "instruction=glob(nope*) was asked for, but it names no value"),
        (["seed=interval(0,1)"], "it names no single values"),
        (["seed=range(0,3,0)"], "it cannot be counted out"),
        (["seed=range(0,1e12)"], "a sweep has 10000 at most"),
        (["seed=range(1000)", "episodes=range(1,1000)"], "a sweep has 10000 at most"),
        (["num_envs=1,two"], "num_envs=two was asked for, but num_envs takes a whole number"),
        (["server=expert,3", "seed=1"], "There is no server=3"),
        (["task=any,nope"], "There is no task=nope"),
    ],
    ids=" ".join,
)
def test_sweep_without_jobs_or_with_an_impossible_one_is_refused_before_anything_is_written(
    command, tmp_path, overrides, told
):
    code, out, err = command(play, "-m", *overrides)
    assert (code, out) == (1, "")
    assert told in err
    assert not list(Path(tmp_path).iterdir()), "no sweep is left behind"
