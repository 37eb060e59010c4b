"""What a server wants against what an embodiment offers, before an env is made."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from groot_wrappers.embodiment.embodiment import Embodiment
from groot_wrappers.errors import ContractError, did_you_mean, raise_all
from groot_wrappers.modality import ModalityConfigs, require_moments

__all__ = ["match_embodiment"]


def match_embodiment(
    embodiment: Embodiment,
    modality: ModalityConfigs,
    *,
    execution: int = 1,
    delay: int = 0,
    horizons: Mapping[str, int | None] | None = None,
) -> Embodiment:
    """Return the part of an embodiment that a server wants: cameras that it does not ask for are never drawn.

    Args:
        embodiment: What the env offers and takes.
        modality: What the server wants, as its ``get_modality_config`` says.
        execution: Control steps that will be played of each chunk.
        delay: Control steps of the chunk before that are played while the next one is asked for.
        horizons: Frames of ``video`` and ``state`` that the user expects the server to ask for; None for any.

    Raises:
        ContractError: A key that the server wants is missing, an action key is not the server's, the language key is
            none of the server's, a horizon differs, or the server asks for moments that no env can show. All
            differences are named in one message.
    """
    problems = []
    # A server need not look at everything: a modality that it does not name is not sent.
    wanted = {kind: modality[kind].modality_keys if kind in modality else () for kind in ("video", "state", "language")}
    for kind, offered in (("video", embodiment.video), ("state", embodiment.state)):
        problems += _missing(kind, wanted[kind], offered, "The server wants", "the embodiment has")
    played = [key for key, target in embodiment.action.items() if target.hold is None]
    problems += _missing(
        "action", played, modality["action"].modality_keys, "The embodiment drives", "the server sends"
    )
    if wanted["language"] and embodiment.language not in wanted["language"]:
        problems.append(
            f"The server takes the instruction under {' and '.join(wanted['language'])}, the embodiment gives it under "
            f"{embodiment.language}: set `embodiment.language`={wanted['language'][0]}."
        )
    problems += _impossible_moments(modality)
    for kind, expected in (horizons or {}).items():
        if kind not in modality:
            continue
        asked = len(modality[kind].delta_indices)
        if expected is not None and expected != asked:
            problems.append(
                f"`horizons.{kind}`={expected} was asked for, but the server takes {asked} {kind} frames "
                f"(delta_indices {list(modality[kind].delta_indices)}). Leave `horizons.{kind}` out."
            )
    length = len(modality["action"].delta_indices)
    if execution > length:
        problems.append(
            f"`execution`={execution} was asked for, but the server's chunks hold {length} control steps. "
            f"Set `execution`={length} or less."
        )
    elif execution + delay > length:
        problems.append(
            f"`delay`={delay} with `execution`={execution} plays the first {execution + delay} control "
            f"steps of each chunk, but the server's chunks hold {length}. Set `delay` to 0 ... "
            f"{length - execution}, or `execution` lower."
        )
    raise_all("The server and the embodiment do not fit:", problems)
    bases = [target.relative_to for target in embodiment.action.values() if target.relative_to in embodiment.state]
    return replace(
        embodiment,
        video={key: embodiment.video[key] for key in wanted["video"]},
        state={key: embodiment.state[key] for key in dict.fromkeys([*wanted["state"], *bases])},
    )


def _impossible_moments(modality: ModalityConfigs) -> list[str]:
    """Say for which modalities the server asks for moments that an env cannot show."""
    problems = []
    for kind in ("video", "state"):
        if kind in modality:
            try:
                require_moments(modality[kind].delta_indices)
            except ContractError as error:
                problems.append(f"The server's {kind}: {error}")
    if "language" in modality and modality["language"].horizon != 1:
        problems.append(
            f"The server takes {modality['language'].horizon} texts under each language key (delta_indices "
            f"{list(modality['language'].delta_indices)}), but an episode has one instruction. Set its delta_indices "
            "to [0] in the modality config that the server was started with."
        )
    return problems


def _missing(kind: str, wanted: Iterable[str], offered: Iterable[str], who: str, whom: str) -> list[str]:
    """Say which wanted keys are not offered, each with the nearest name."""
    wanted, offered = list(wanted), list(offered)
    spare = [key for key in offered if key not in wanted]  # a name that is wanted itself is no misspelling of another
    problems = []
    for key in wanted:
        if key not in offered:
            problems.append(
                f"{who} the {kind} key '{key}', but {whom} {', '.join(offered) or 'none'}.{did_you_mean(key, spare)} "
                f"Mend embodiment.{kind}, or choose the embodiment of that checkpoint (`embodiment`=...)."
            )
    return problems
