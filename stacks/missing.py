"""Says more of a home that is not there: what has its name instead, or where it is.

The plan knows homes by their labels alone, which is what keeps an empty volume from being taken for
one. What else there is on the engine is looked up here, once something is missing. Reading only.
"""

from stacks.engine.model import Leftover
from stacks.errors import HomeMissingError, OtherTreeError, StacksError
from stacks.power import Container, Power
from stacks.programs.inputs import LABEL_HOME, LABEL_PREFIX, LABEL_TREE, LABEL_WORKSPACE


async def explained(error: StacksError, power: Power) -> StacksError:
    """Give the error that says most of why a home is not there.

    Args:
        error: Any error; only a `HomeMissingError` that names its volume is looked into.
        power: The engine.

    Returns:
        The error itself where there is no more to say, or the engine does not answer.
    """
    if not isinstance(error, HomeMissingError) or not error.volume:
        return error
    try:
        return await _looked_into(error, power)
    except StacksError:
        return error


async def _looked_into(error: HomeMissingError, power: Power) -> StacksError:
    found = await power.named("volume", error.volume)
    if found is None:
        labelled = await power.find({LABEL_WORKSPACE: error.workspace})
        return _elsewhere(error, [thing for thing in labelled if _is_home(thing) and thing.ours])
    if not _is_home(found) or found.labels[LABEL_WORKSPACE] != error.workspace:
        return _in_its_place(error, await power.holders(error.volume))
    if not found.ours:
        whose = found.labels.get(LABEL_TREE, "")
        return OtherTreeError.of("volume", found.name, whose, file=power.tree_file)
    return error  # it came back meanwhile


def _is_home(thing: Leftover) -> bool:
    labelled = {LABEL_WORKSPACE, LABEL_HOME, LABEL_PREFIX} <= thing.labels.keys()
    return thing.kind == "volume" and labelled


def _elsewhere(error: HomeMissingError, homes: list[Leftover]) -> HomeMissingError:
    """Tell of a home of that workspace under another name prefix."""
    found = sorted((home.labels[LABEL_PREFIX], home.name) for home in homes)
    here = f"{error.workspace}-home-"
    others = [
        (prefix, name) for prefix, name in found if not error.volume.startswith(prefix + here)
    ]
    if not others:
        return error
    prefix, name = others[0]
    return HomeMissingError.of(
        error.workspace,
        error.volume,
        f"{error.message}; this data tree made {name} for it, under another name prefix",
        step=error.step,
        remedy=f"Set CODEHUB_NAME_PREFIX back to {prefix} and try again.",
    )


def _in_its_place(error: HomeMissingError, holders: tuple[Container, ...]) -> HomeMissingError:
    """Tell of a volume that only has the name: while it is there, none can be made under it."""
    volume = error.volume
    held = ", ".join(f"{found.name} ({found.state})" for found in holders)
    by = f", mounted by the container {held}" if held else ""
    first = "".join(f"docker rm {found.name}; " for found in holders)
    return HomeMissingError.of(
        error.workspace,
        volume,
        f"{error.message}; a volume without a home's labels has that name{by}",
        step=error.step,
        remedy="Docker makes such a volume, empty, for a container whose volume is gone. Look into "
        f"it; is it not needed, remove it: {first}docker volume rm {volume}. While it is there, no "
        f"volume can be made under its name. Then: {error.default_remedy}",
    )
