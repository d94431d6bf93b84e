"""All of the runner that commands load with its first use; a daemon loads it as it begins.

After an upgrade in place, the files on the disk are another version's than those that it runs: a part
that is loaded then may ask for what is not there. Who runs for long gains nothing by waiting, either.
"""

from spec import tree  # noqa: F401
from stacks import columns, previews, rebuild, recorded  # noqa: F401
from stacks.edits import desk, drafts, open  # noqa: F401, A004
from stacks.gc import open as gc_open  # noqa: F401
from stacks.git import mirror, place, remote, source, touched  # noqa: F401
from stacks.isolation import guard  # noqa: F401
