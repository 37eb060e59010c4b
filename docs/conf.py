"""Settings of Sphinx, which builds these pages: ``make docs``."""

import os
import sys

from sphinx.ext.napoleon.docstring import GoogleDocstring

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, ROOT)

project = "gr00t-isaaclab"
html_title = project

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]

myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 4

autodoc_default_options = {"members": True, "show-inheritance": True}
autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
autodoc_preserve_defaults = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True
napoleon_custom_sections = [("Classes", "params_style")]

html_theme = "furo"
html_theme_options = {"navigation_with_keys": True}
html_static_path: list[str] = []
html_show_copyright = False
html_show_sphinx = False


# Types stand in signatures here, not in docstrings: what is before a colon is prose, which Napoleon takes for a type.
def _attribute(self: GoogleDocstring) -> tuple[str, list[str]]:
    return "", self.__class__(self._dedent(self._consume_to_end()), self._config).lines()


def _returns(self: GoogleDocstring, preprocess_types: bool = False) -> list[tuple[str, str, list[str]]]:
    lines = self._dedent(self._consume_to_next_section())
    return [("", "", self.__class__(lines, self._config).lines())] if lines else []


GoogleDocstring._consume_inline_attribute = _attribute
GoogleDocstring._consume_returns_section = _returns
