"""From a generator's bytes to what it says of each of its workspaces. Pure.

What is wrong with the whole file stops all of its workspaces; what is wrong with an entry stops that
one. Either way they have a file: a broken generator never makes them look removed. Where not even
the ids of all can be known, `GeneratorRead.whole` says so.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from spec.defaults import NONE, Defaults
from spec.filling import MAX_TEXT, MAX_VALUES, Weight, weight
from spec.generators import MAX_EACH, NOTHING, Generated, expand
from spec.named import File, Named, blob, held, shown_name
from spec.problems import Problem
from spec.reader import checked_id, reading_of
from spec.report import Report, read_tree

MAX_BYTES = 256 * 1024
MAX_NODES = 32_768
KEPT = 64
"""Readings that are kept: they are asked for again whenever any workspace file changes."""
TOGETHER = 10
"""All generators of a folder together may make so many times what one may."""
NAMED = 3
"""Workspaces that a problem names; of the others the number is told."""
_EXAMPLE = "write id, each and workspace; the how-to on a class has an example"


@dataclass(frozen=True, kw_only=True)
class GeneratorRead:
    """What one generator says.

    Attributes:
        file: the file, as problems call it.
        named: its workspaces.
        problems: all that is wrong, each once, by place.
        whole: whether these are all of its workspaces.
        weight: what was made of it.
    """

    file: str
    named: tuple[Named, ...] = ()
    problems: tuple[Problem, ...] = ()
    whole: bool = True
    weight: Weight = NOTHING


def read_generators(
    files: Iterable[File], *, label: str, defaults: Defaults = NONE
) -> list[GeneratorRead]:
    """Read all of a folder, as far as they make no more than may be together.

    The one that makes more is told, and so are all after it by name, unread. Args as `read_generator`.
    """
    found: list[GeneratorRead] = []
    for file in files:
        full = _is_too_much(found)
        read = None if full else read_generator(file, label=label, defaults=defaults)
        if read is None or _is_too_much([*found, read]):
            read = _too_much(shown_name(file.name, label), read)
        found.append(read)
    return found


def _is_too_much(found: Iterable[GeneratorRead]) -> bool:
    values, text = (
        sum(each) for each in zip(NOTHING, *(read.weight for read in found), strict=True)
    )
    workspaces = sum(len(read.named) for read in found)
    most = (TOGETHER * each for each in (MAX_VALUES, MAX_TEXT, MAX_EACH))
    return any(has > may for has, may in zip((values, text, workspaces), most, strict=True))


def _too_much(file: str, read: GeneratorRead | None) -> GeneratorRead:
    told = f"makes, with those before it, more than {TOGETHER} times what one may"
    problem = Problem(file, 1, 1, "", told, "have fewer workspaces or values made")
    weight_ = read.weight if read else NOTHING
    return GeneratorRead(file=file, problems=(problem,), whole=False, weight=weight_)


@lru_cache(maxsize=KEPT)
def read_generator(file: File, *, label: str, defaults: Defaults = NONE) -> GeneratorRead:
    """Read one; what is wrong with it is in the answer.

    Args:
        file: its name below the folder of workspaces, and its content.
        label: what problems call that folder.
        defaults: what counts where a workspace says nothing.
    """
    shown_as = shown_name(file.name, label)
    if file.raw is None:
        told = Problem(shown_as, 1, 1, "", *file.refusal)
        return GeneratorRead(file=shown_as, problems=(told,), whole=False)
    report = Report(shown_as)
    root = read_tree(file.raw, report, example=_EXAMPLE, most_bytes=MAX_BYTES, most_nodes=MAX_NODES)
    if root is None:
        return GeneratorRead(file=shown_as, problems=tuple(report.sorted()), whole=False)
    added = weight(defaults.root) if defaults.root is not None else NOTHING
    found = expand(root, report.add, added=added)
    shared = tuple(report.sorted())
    one = _Reader(shown_as, shared, revision=blob(file.raw), defaults=defaults)
    for key, flaw in found.strays:
        report.add(key, flaw)
    # An id that is none may be a slip in one that runs: which, can't be known.
    right = [each for each in found.workspaces if checked_id(each.id, report, place=each.place)]
    named = tuple(one.read(twins) for twins in _by_id(right))
    own = _together(named, without=shared) if not defaults.broken else ()
    return GeneratorRead(
        file=shown_as,
        named=tuple(held(each, defaults) for each in named),
        problems=(*report.sorted(), *own),
        whole=found.whole and len(right) == len(found.workspaces),
        weight=found.weight,
    )


def _by_id(found: Iterable[Generated]) -> Iterable[list[Generated]]:
    """Group them: of twins there is one reading, which is wrong."""
    by_id: dict[str, list[Generated]] = {}
    for each in found:
        by_id.setdefault(each.id, []).append(each)
    return by_id.values()


class _Reader:
    """Reads the workspaces of one generator."""

    def __init__(
        self, file: str, shared: tuple[Problem, ...], *, revision: str, defaults: Defaults
    ) -> None:
        self._file = file
        self._shared = shared
        self._revision = revision
        self._defaults = defaults

    def read(self, twins: Sequence[Generated]) -> Named:
        """Read one workspace, though it may be written more than once."""
        first = twins[0]
        report = Report(self._file)
        for key, flaw in (found for each in twins for found in each.flaws):
            report.add(key, flaw)
        reading = reading_of(
            first.root, report, id_=first.id, file=self._file, defaults=self._defaults
        )
        if self._shared:
            reading = replace(reading, spec=None, problems=(*self._shared, *reading.problems))
        return Named(
            stem=first.id,
            file=self._file,
            reading=reading,
            revision=self._revision,
            place=first.place,
            generated=True,
            told=True,
        )


def _together(named: Iterable[Named], *, without: Sequence[Problem]) -> Iterable[Problem]:
    """Tell each problem once, with the workspaces that it concerns."""
    ids: dict[Problem, list[str]] = {}
    for each in named:
        for problem in each.reading.problems:
            if problem not in without:
                ids.setdefault(problem, []).append(each.stem)
    for problem, concerned in sorted(ids.items(), key=lambda item: (item[0].line, item[0].column)):
        shown_ids = ", ".join(concerned[:NAMED])
        more = f" and {len(concerned) - NAMED} more" if len(concerned) > NAMED else ""
        yield replace(problem, message=f"{problem.message} (of {shown_ids}{more})")
