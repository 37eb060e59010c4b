"""IsaacLab 2.3's own env classes and managers over stand-ins for Kit and for the scene.

Importing this package lets ``import isaaclab`` find 2.3, whose wheel must be installed: see ``make verify-isaaclab2``.
"""

from tests.verify.isaaclab2 import kit

kit.stand_in()
