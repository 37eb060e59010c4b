"""The Python file that GR00T's fine-tuning imports to learn which keys a data set holds."""

from collections.abc import Mapping
from keyword import iskeyword
from typing import Any

from groot_wrappers.errors import ContractError
from runners.datasets.features import Features

__all__ = ["modality_config_text"]

TEMPLATE = '''"""What this data set holds, for GR00T's fine-tuning with --embodiment-tag NEW_EMBODIMENT."""

from gr00t.configs.data.embodiment_configs import register_modality_config
from gr00t.data.embodiment_tags import EmbodimentTag
from gr00t.data.types import ActionConfig, ActionFormat, ActionRepresentation, ActionType, ModalityConfig

config = {{
{observed}
    "action": ModalityConfig(
        delta_indices={action_indices},
        modality_keys={action},
        action_configs=[
{action_configs}
        ],
    ),
    "language": ModalityConfig(delta_indices=[0], modality_keys={language}),
}}

register_modality_config(config, embodiment_tag=EmbodimentTag.NEW_EMBODIMENT)
'''

AS_RECORDED = {"rep": "ABSOLUTE", "type": "NON_EEF", "format": "DEFAULT", "state_key": None}
"""How GR00T takes actions whose server said nothing of it: the numbers as they are."""


def modality_config_text(features: Features, modality: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the file's text.

    Args:
        features: What the data set holds.
        modality: The server's modality configs in their JSON form: which steps it looked at and sent, and how it meant
            its actions.
    """
    indices = {kind: list(modality.get(kind, {}).get("delta_indices", [0])) for kind in ("video", "state", "action")}
    sent = modality.get("action", {})
    told = dict(zip(sent.get("modality_keys", []), sent.get("action_configs") or [], strict=False))
    observed = {"video": list(features.video), "state": list(features.state)}
    return TEMPLATE.format(
        observed="\n".join(
            f'    "{kind}": ModalityConfig(delta_indices={indices[kind]}, modality_keys={keys}),'
            for kind, keys in observed.items()
            if keys
        ),
        action_indices=indices["action"],
        action=list(features.action),
        action_configs="\n".join(_action_config(told.get(key) or AS_RECORDED) for key in features.action),
        language=features.read_languages,
    )


def _action_config(told: Mapping[str, Any]) -> str:
    for field in ("rep", "type", "format"):
        if not told[field].isidentifier() or iskeyword(told[field]):  # a server's, and goes into a file that is run
            raise ContractError(f"The server says {field}={told[field]!r} of an action, which is no name.")
    return (
        f"            ActionConfig(rep=ActionRepresentation.{told['rep']}, type=ActionType.{told['type']}, "
        f"format=ActionFormat.{told['format']}, state_key={told.get('state_key')!r}),"
    )
