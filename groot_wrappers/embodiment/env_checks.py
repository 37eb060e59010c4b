"""What an embodiment names against what an env has, before its first step."""

from collections.abc import Callable
from functools import partial

from groot_wrappers.embodiment.action_map import ActionLayout
from groot_wrappers.embodiment.embodiment import Embodiment
from groot_wrappers.embodiment.isaaclab_env import IsaacLabEnv
from groot_wrappers.embodiment.sources import state_source, video_source
from groot_wrappers.errors import ContractError, raise_all

__all__ = ["check_env"]


def check_env(env: IsaacLabEnv, embodiment: Embodiment) -> None:
    """Check that an env has all that an embodiment names, and that its success term, if it has one, can be read.

    Raises:
        ContractError: It has not. All differences are named in one message.
    """
    problems: list[str] = []

    def collect(check: Callable[[], object]) -> None:
        try:
            check()
        except ContractError as error:
            problems.append(str(error))

    for key, video in embodiment.video.items():
        collect(partial(video_source, env, key, video))
    for key, state in embodiment.state.items():
        collect(partial(state_source, env, key, state))
    try:
        ActionLayout(env, embodiment)
    except ContractError as error:
        problems += error.problems
    if env.has_success:
        collect(env.succeeded)
    raise_all("The embodiment and the env do not fit:", problems)
