"""Gr00tActionWrapper: plays a GR00T action chunk on an env, control step by control step, and parks ended episodes.

Classes:
    Gr00tActionWrapper: the wrapper.
"""

import groot_wrappers.installation.wrappers_needed  # isort: skip  # noqa: F401  # before torch
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal

import gymnasium as gym
import numpy as np
import torch
from gymnasium import spaces

from groot_wrappers.beat import Beat
from groot_wrappers.chunk_player import ChunkPlayer, Entry
from groot_wrappers.control_step import ControlStep, ControlStepWatcher
from groot_wrappers.embodiment.action_map import ActionLayout, Chunk
from groot_wrappers.embodiment.embodiment import Embodiment
from groot_wrappers.embodiment.isaaclab_env import IsaacLabEnv
from groot_wrappers.embodiment.stages import ProgressTerms
from groot_wrappers.errors import ContractError, Gr00tError

__all__ = ["Gr00tActionWrapper"]


class Gr00tActionWrapper(gym.Wrapper[Any, Any, Any, Any]):
    """Takes chunks ``{key: (num_envs, T_action, D)}`` and plays the first ``execution`` control steps of each.

    An env whose episode ends within a chunk is **parked**: nothing of what follows there is counted, and the env holds
    its last action until ``reset`` begins the next planned episode. So every chunk is played from its start, and
    ``execution - 1`` idle steps an episode are the price. IsaacLab's own reset of ended envs is left out (see
    :meth:`IsaacLabEnv.without_autoreset`), but for direct envs, which begin an episode that nobody plays.

    Example:
        With an env of four envs side by side, and what its embodiment's action key drives:

        >>> embodiment = Embodiment(action={"arm": ActionTarget(joints=["joint_.*"])})
        >>> env = Gr00tActionWrapper(Gr00tObservationWrapper(env, embodiment), embodiment, execution=8, horizon=16)
        >>> observation, info = env.reset(options={"seeds": [0, 1, 2, 3]})
        >>> chunk = {"arm": np.zeros((4, 16, 2), np.float32)}  # (num_envs, T_action, D)
        >>> observation, reward, terminated, truncated, info = env.step(chunk)
        >>> info["steps"]
        tensor([8, 8, 8, 8])

    Args:
        env: An env wrapped by :class:`Gr00tObservationWrapper`, or a vectorised env of IsaacLab's manager-based or
            direct workflow; the first reset must have been made through this wrapper.
        embodiment: Its ``action`` maps the server's action keys onto the env's action terms.
        execution: Control steps that are played of each chunk; 1 is the plain gym step.
        horizon: T_action of the chunks that will come; ``execution`` where it is not known.
        watcher: Called after every control step.

    Raises:
        ContractError: The embodiment's action does not fit the env (see :class:`ActionLayout`), or ``execution`` does
            not fit into ``horizon``.
    """

    def __init__(
        self,
        env: gym.Env[Any, Any],
        embodiment: Embodiment,
        execution: int = 1,
        *,
        horizon: int | None = None,
        watcher: ControlStepWatcher | None = None,
    ) -> None:
        super().__init__(env)
        horizon = execution if horizon is None else horizon
        if not 1 <= execution <= horizon:
            raise ContractError(
                f"`execution`={execution} was asked for, but the server's chunks hold {horizon} control steps. "
                f"Set `execution` to 1 ... {horizon}."
            )
        self._horizon = horizon
        self._isaaclab = IsaacLabEnv(env)
        self.num_envs = self._isaaclab.num_envs
        self.device = self._isaaclab.device
        self.execution = execution
        self._watcher = watcher
        self._layout = ActionLayout(self._isaaclab, embodiment)
        states = sorted(set(self._layout.relative_to.values()))
        if states and not env.has_wrapper_attr("present_state"):
            raise ContractError(
                f"Actions relative to {', '.join(states)} need the state: wrap the env by "
                "Gr00tObservationWrapper first."
            )
        self._progress = ProgressTerms(self._isaaclab.base)
        self._player = ChunkPlayer(self.num_envs)
        self._held = torch.zeros((self.num_envs, self._isaaclab.action_dim), device=self.device)
        self._parked = np.ones(self.num_envs, bool)
        self.has_rewards = self._isaaclab.has_rewards
        """False for an env that is configured without reward terms, whose rewards of 0 mean nothing."""

        self.action_space = spaces.Dict(
            {
                key: spaces.Box(-np.inf, np.inf, (self.num_envs, horizon, width), np.float32)
                for key, width in self._layout.widths.items()
            }
        )

    @property
    def reset_mode(self) -> Literal["per_env", "per_batch"]:
        """Whether one env can begin an episode alone, from its own seed, or only all of them together."""
        return self._isaaclab.reset_mode

    @property
    def parked(self) -> torch.Tensor:
        """The envs that wait for a reset, bool (num_envs,)."""
        return torch.tensor(self._parked, device=self.device)

    def standing_still(self) -> dict[str, np.ndarray[Any, Any]]:
        """Return a chunk that keeps every env where it is, ``{key: float32 (num_envs, T_action, D)}``."""
        asked = self._layout.from_env(self._layout.standing_still()[:, None], self._bases())
        return {key: np.repeat(values.numpy(), self._horizon, axis=1) for key, values in asked.items()}

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin episodes in all envs or in those of ``options["env_ids"]``, and unpark them.

        See :meth:`Gr00tObservationWrapper.reset` for the options. Where envs begin episodes only all together
        (``reset_mode`` is ``per_batch``), those outside ``env_ids`` begin one that nobody plays, and stay parked.

        Raises:
            ContractError: As that method, or such an env is asked to begin some episodes while others run.
        """
        env_ids = [int(i) for i in (options or {}).get("env_ids", range(self.num_envs))]
        if options and "env_ids" in options and self.reset_mode == "per_batch":
            running = [i for i in range(self.num_envs) if not self._parked[i] and i not in env_ids]
            if running:
                raise ContractError(
                    f"{type(self.unwrapped).__name__} begins episodes in all its envs together, but reset was asked "
                    f"for {env_ids} while {running} still run. Wait until all are parked, or use an env of IsaacLab's "
                    "manager-based workflow."
                )
            options = _for_all_envs(options, env_ids, self.num_envs)
        observation, info = self.env.reset(seed=seed, options=options)
        self._parked[env_ids] = False
        self._player.begin(env_ids)
        self._progress.begin(env_ids)
        return observation, info

    def step(  # type: ignore[override]  # gym.Env declares scalars, IsaacLab's envs are vectorised
        self, chunk: Chunk
    ) -> tuple[Any, torch.Tensor, torch.Tensor, torch.Tensor, dict[str, Any]]:
        """Play up to ``execution`` control steps of a chunk; stop early once every env is parked.

        Args:
            chunk: ``{action key: float32 (num_envs, T_action, D)}``, T_action at least ``execution``, in the units
                that the embodiment's target takes (joints: absolute positions in rad or m). Rows of parked envs are
                ignored. A row with a number that is not finite is not played: its episode ends as an error.

        Returns:
            Observation after the last control step; reward float32, terminated and truncated bool, all (num_envs,), on
            the env's device: the reward is summed while the episode ran, the flags are those of any of its steps.
            ``info`` has ``steps`` int64 (num_envs,), the control steps played; ``success`` bool (num_envs,), the env's
            own success term read before IsaacLab's autoreset hides it, or None where the env has none; ``error``, a
            list of num_envs entries: None, or why the episode cannot be counted; ``progress``, what the episodes have
            come to (:class:`Progress`), None where the env declares no stages.

        Raises:
            ContractError: A key is missing, a shape does not fit, or all envs are parked.
        """
        return self._play(lambda steps: chunk, reach=self.execution)

    def step_while_asking(
        self, answer: Callable[[int], Chunk | None]
    ) -> tuple[Any, torch.Tensor, torch.Tensor, torch.Tensor, dict[str, Any]]:
        """Play ``execution`` control steps, or more until the answer is there, while a chunk is being asked for.

        Until it comes, envs go on with the chunk of before, and those that have begun an episode stand still; what then
        plays at which control step, :class:`ChunkPlayer` says. Relative actions are relative to the state at the call,
        which is the one that the chunk is asked for.

        Args:
            answer: Called before each control step with those played so far, until it returns the chunk, as ``step``
                takes it. Here all of a row must be finite.

        Returns:
            As ``step``. ``info`` has two more entries: ``held`` int64 (num_envs,), the control steps for which a chunk
            had no entry left, so that its last one was held; ``unanswered``, the Gr00tError that ``answer`` raised
            after some control steps had been played, else None.

        Raises:
            Gr00tError: What ``answer`` raised before any control step.
            ContractError: As ``step``.
        """
        return self._play(answer, reach=None)

    def _play(
        self, answer: Callable[[int], Chunk | None], *, reach: int | None
    ) -> tuple[Any, torch.Tensor, torch.Tensor, torch.Tensor, dict[str, Any]]:
        """Play a beat; ``reach`` is how many entries of a chunk may be played, None for all of them."""
        env: Any = self.env
        succeeded = self._isaaclab.succeeded if self._isaaclab.has_success else None
        beat = Beat(self._parked, self.device, succeeded)
        observation: Any = None
        info: dict[str, Any] = {}
        with self._isaaclab.without_autoreset():
            for entry in self._entries(answer, reach, beat):
                self._held = beat.action(entry.action, self._held)
                played = beat.playing
                observation, reward, terminated, truncated, info = env.step(self._held)
                beat.add(reward, terminated, truncated, entry.ran_out)
                distance = self._progress.see(played)
                if self._watcher is not None:
                    brought = reward if self.has_rewards else None
                    success = None if succeeded is None else succeeded()
                    seen = ControlStep(observation, played, beat.playing, entry.asked, brought, success, distance)
                    self._watcher(seen)
                if not beat.playing.any():
                    break
        return beat.outcome(observation, dict(info) | {"progress": self._progress.so_far()})

    def _entries(self, answer: Callable[[int], Chunk | None], reach: int | None, beat: Beat) -> Iterator[Entry]:
        """Yield what is played at each control step of a beat; it ends early where the answer fails."""
        if self._parked.all():
            raise ContractError("Every env is parked: its episode has ended. Call reset before the next step.")
        bases = self._bases()
        answered = False
        while True:
            if not answered:
                try:
                    chunk = answer(beat.played)
                    if chunk is not None:
                        self._load(chunk, bases, reach, beat)
                        answered = True
                except Gr00tError as error:
                    if not beat.played:
                        raise
                    beat.unanswered = error
                    return
            if answered and beat.played >= self.execution:
                return
            if not answered and not beat.played and self._player.begun.any():
                still = self._layout.standing_still()[:, None]
                asked = self._layout.from_env(still, bases)
                self._player.hold(still.to(self.device), {key: values.numpy() for key, values in asked.items()})
            yield self._player.take()

    def _bases(self) -> dict[str, torch.Tensor]:
        """Return what relative actions are relative to, as it is now."""
        return self._layout.bases(self._present_state)

    def _present_state(self, key: str) -> torch.Tensor:
        state: torch.Tensor = self.env.get_wrapper_attr("present_state")(key)
        return state

    def _load(self, chunk: Chunk, bases: Mapping[str, torch.Tensor], reach: int | None, beat: Beat) -> None:
        """Give a chunk to the player, and park the envs whose row cannot be played."""
        actions = self._layout.to_env(chunk, bases, at_least=self.execution)[:, :reach]
        asked = {key: torch.as_tensor(chunk[key], dtype=torch.float32).cpu().numpy() for key in self._layout.widths}
        beat.refuse_rows(actions.numpy(), asked, self._has_finite_state)
        self._player.load(actions.to(self.device), asked, beat.played)

    def _has_finite_state(self, env_id: int) -> bool:
        """Whether what the server is told of an env is finite, as far as the wrapper beneath knows."""
        if not self.env.has_wrapper_attr("present_state"):
            return True
        states = self.env.get_wrapper_attr("embodiment").state
        return all(bool(self.env.get_wrapper_attr("present_state")(key)[env_id].isfinite().all()) for key in states)


def _for_all_envs(options: Mapping[str, Any], env_ids: list[int], num_envs: int) -> dict[str, Any]:
    """Return reset options for all envs; those that were not asked for repeat what the first one was given."""
    widened = dict(options) | {"env_ids": list(range(num_envs))}
    for name in ("seeds", "instructions", "variations"):
        if options.get(name) is not None:
            given = dict(zip(env_ids, options[name], strict=True))
            widened[name] = [given.get(i, options[name][0]) for i in range(num_envs)]
    return widened
