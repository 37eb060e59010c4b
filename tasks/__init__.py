"""The project's own tasks, a folder each; importing this registers their gym ids and loads no simulator.

IsaacLab is imported by ``gym.make`` (or by whoever resolves ``env_cfg_entry_point``), never here.
"""

import importlib
import pkgutil

from groot_wrappers.installation.extras import require_extra

require_extra("wrappers", "A task")

from tasks.common.registration import TASK_IDS  # noqa: E402  # gymnasium is there

__all__ = ["TASK_IDS"]

for _module in pkgutil.iter_modules(__path__):
    if _module.ispkg:
        importlib.import_module(f"{__name__}.{_module.name}")
