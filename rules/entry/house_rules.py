# ruff: noqa: INP001 - no package, or the catalogue would find the way in as one of the rules
"""The way in for cfn-lint, which loads each file of an `append_rules` folder alone, without this repository's path.

.cfnlintrc says `append_rules: [rules/entry]`; from elsewhere: `cfn-lint --append-rules REPOSITORY/rules/entry`.
"""

import sys
from pathlib import Path

_REPOSITORY = str(Path(__file__).resolve().parents[2])
if _REPOSITORY not in sys.path:
    sys.path.insert(0, _REPOSITORY)

from rules._catalogue import house_rules  # noqa: E402 - importable from here on only

# cfn-lint takes the classes that it finds among the members of this module.
globals().update({rule.__name__: rule for rule in house_rules().values()})
