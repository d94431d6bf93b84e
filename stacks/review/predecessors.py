"""Who is renamed by a change: which workspace of base is which one on head. Pure.

`formerly` names the id under which a home was made and stays in the file. So a workspace was
renamed when its file is gone, and a file that is new, or newly says so, has the same home.
"""

from spec import WorkspaceSpec
from stacks.review.model import Fleet


def predecessors(base: Fleet, head: Fleet) -> dict[str, str]:
    """Give the id on base of each workspace that is renamed, by its id on head."""
    homes = {_home(spec): id_ for id_, spec in base.specs.items() if id_ not in head.ids}
    # A file that is wrong on base has a workspace too: its own id is all that is sure of it.
    homes |= {id_: id_ for id_ in base.invalid if id_ not in head.ids}
    return {
        id_: homes[_home(spec)]
        for id_, spec in sorted(head.specs.items())
        if _home(spec) in homes and (id_ not in base.specs or _home(base.specs[id_]) != _home(spec))
    }


def _home(spec: WorkspaceSpec) -> str:
    """Give the id under which a workspace's home was made."""
    return spec.formerly or spec.id
