"""Imported before anything else by modules that touch tensors: refuses them where the extra ``wrappers`` is missing."""

from groot_wrappers.installation.extras import require_extra

require_extra("wrappers", "What reads or drives an env")
