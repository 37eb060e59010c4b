"""The match of what a server wants and what an embodiment offers, checked before an env is made."""

from collections.abc import Iterable, Mapping

from groot_wrappers.embodiment import Embodiment
from groot_wrappers.errors import ContractError, did_you_mean
from groot_wrappers.modality import ModalityConfigs

__all__ = ["match_embodiment"]


def match_embodiment(
    embodiment: Embodiment,
    modality: ModalityConfigs,
    *,
    execution: int = 1,
    horizons: Mapping[str, int | None] | None = None,
) -> Embodiment:
    """Return the part of an embodiment that a server wants: cameras that it does not ask for are never drawn.

    Args:
        embodiment: What the env offers and takes.
        modality: What the server wants, as its ``get_modality_config`` says.
        execution: Control steps that will be played of each chunk.
        horizons: Frames of ``video`` and ``state`` that the user expects the server to ask for; None for any.

    Raises:
        ContractError: A key that the server wants is missing, an action key is not the server's, the language key
            differs, or a horizon does. All differences are named in one message.
    """
    problems = []
    for kind, offered in (("video", embodiment.video), ("state", embodiment.state)):
        problems += _missing(kind, modality[kind].modality_keys, offered, "The server wants", "the embodiment has")
    played = [key for key, target in embodiment.action.items() if target.hold is None]
    problems += _missing(
        "action", played, modality["action"].modality_keys, "The embodiment drives", "the server sends"
    )
    wanted_language = modality["language"].modality_keys
    if list(wanted_language) != [embodiment.language]:
        problems.append(
            f"The server takes the instruction under {' and '.join(wanted_language)}, the embodiment gives it under "
            f"{embodiment.language}: set embodiment.language={wanted_language[0] if wanted_language else '...'}."
        )
    for kind, expected in (horizons or {}).items():
        asked = len(modality[kind].delta_indices)
        if expected is not None and expected != asked:
            problems.append(
                f"horizons.{kind}={expected} was asked for, but the server takes {asked} {kind} frames "
                f"(delta_indices {list(modality[kind].delta_indices)}). Leave horizons.{kind} out."
            )
    length = len(modality["action"].delta_indices)
    if execution > length:
        problems.append(
            f"horizons.execution={execution} was asked for, but the server's chunks hold {length} control steps. "
            f"Set horizons.execution={length} or less."
        )
    if problems:
        raise ContractError("The server and the embodiment do not fit:\n- " + "\n- ".join(problems))
    return Embodiment(
        video={key: embodiment.video[key] for key in modality["video"].modality_keys},
        state={key: embodiment.state[key] for key in modality["state"].modality_keys},
        language=embodiment.language,
        action=embodiment.action,
    )


def _missing(kind: str, wanted: Iterable[str], offered: Iterable[str], who: str, whom: str) -> list[str]:
    """Say which wanted keys are not offered, each with the nearest name."""
    wanted, offered = list(wanted), list(offered)
    spare = [key for key in offered if key not in wanted]  # a name that is wanted itself is no misspelling of another
    problems = []
    for key in wanted:
        if key not in offered:
            problems.append(
                f"{who} the {kind} key '{key}', but {whom} {', '.join(offered) or 'none'}.{did_you_mean(key, spare)} "
                f"Mend embodiment.{kind}, or choose the embodiment of that checkpoint (embodiment=...)."
            )
    return problems
