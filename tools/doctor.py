"""What this machine has of what CodeHub needs: one list, for `codehub doctor` and the set-up's messages.

It looks and never changes anything. A check that is not ok carries the remedy; one that is ok and
carries one all the same is a warning.
"""

import os
import shlex
import shutil
import stat
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from settings import tree
from settings.errors import DataFolderError
from settings.model import GatewaySettings, RunnerSettings
from tools import build, images
from tools.cache import Cache
from tools.commands import output
from tools.engine import DEFAULT_ADDRESS, Engine
from tools.errors import ToolError
from tools.pins import DOCKER_PLUGIN_VERSION, ENGINE_API_MINIMUM, PULUMI_VERSION

SET_UP = "run scripts/setup"
PYTHON_MINIMUM = (3, 11)
FREE_BYTES = 5 << 30
"""What a set-up from nothing needs at most; images and homes come on top."""
PREFIX_LABEL, TREE_LABEL = "codehub.prefix", "codehub.tree"
LIMITS = {"MemoryLimit": "memory", "CpuCfsQuota": "cpu", "PidsLimit": "pids"}


@dataclass(frozen=True)
class Check:
    """One thing that was looked at.

    Attributes:
        name: what was looked at, in a word or two.
        ok: whether it is as CodeHub needs it.
        detail: what was found.
        remedy: what to do when it is not ok or may become a trap, else empty.
    """

    name: str
    ok: bool
    detail: str
    remedy: str = ""


def engine_of(settings: RunnerSettings) -> Engine:
    """The engine that the settings name, else DOCKER_HOST's, else the default one."""
    return Engine(settings.docker_host) if settings.docker_host else Engine.from_env()


def checks(
    settings: RunnerSettings, cache: Cache | None = None, *, gateway: GatewaySettings | None = None
) -> list[Check]:
    """Look at everything.

    Args:
        settings: the runner's.
        cache: the cache of tools; by default the environment's.
        gateway: the gateway's settings; without them these are not looked at.
    """
    cache = cache or Cache.from_env()
    return [
        _python(),
        _cli(settings),
        _plugin(cache),
        _helpers(cache),
        *_engine(engine_of(settings)),
        *_trees(engine_of(settings), settings),
        _data(settings.data),
        _space(cache.root),
        _repository() if settings.repo else _workspaces(settings.workspaces),
        *([_edge(gateway)] if gateway else []),
    ]


def _python() -> Check:
    found = ".".join(map(str, sys.version_info[:3]))
    needed = ".".join(map(str, PYTHON_MINIMUM))
    ok = sys.version_info >= PYTHON_MINIMUM
    return Check("python", ok, found, "" if ok else f"install Python {needed} or later")


def _cli(settings: RunnerSettings) -> Check:
    said = output([settings.pulumi, "version"])
    if said is None:
        return Check("pulumi", False, f"{settings.pulumi} does not run", SET_UP)
    ok = said == f"v{PULUMI_VERSION}"
    return Check("pulumi", ok, said, "" if ok else f"v{PULUMI_VERSION} is wanted: {SET_UP}")


def _plugin(cache: Cache) -> Check:
    if build.plugin_ready(cache):
        return Check("docker plugin", True, cache.identity_file.read_text())
    found = "out of date" if cache.docker_plugin.exists() else "missing"
    return Check("docker plugin", False, f"{DOCKER_PLUGIN_VERSION} is {found}", SET_UP)


def _helpers(cache: Cache) -> Check:
    ok = build.helpers_ready(cache)
    return Check("policy analyzer", ok, "there" if ok else "missing", "" if ok else SET_UP)


def _engine(engine: Engine) -> list[Check]:
    try:
        version, info = engine.version(), engine.info()
    except ToolError as error:
        local = engine.address == DEFAULT_ADDRESS
        return [Check("engine", False, error.message, SET_UP if local else error.remedy)]
    said = f"Docker {version.version}, API {'.'.join(map(str, version.api))}, at {engine.shown}"
    new_enough = version.api >= ENGINE_API_MINIMUM
    wanted = f"API {'.'.join(map(str, ENGINE_API_MINIMUM))} or later is wanted"
    return [
        Check("engine", new_enough, said, "" if new_enough else wanted),
        _limits(info),
        *(_image(engine, image) for image in (images.workspace(), images.light(), images.probe())),
    ]


def _trees(engine: Engine, settings: RunnerSettings) -> list[Check]:
    """Other data trees that use our name prefix on the same engine: each leaves the other's alone."""
    try:
        ids = tree.read(settings.paths.tree)
        found = engine.labelled(PREFIX_LABEL, settings.name_prefix)
    except DataFolderError as error:
        return [Check("data tree", False, str(error), "put the id back into that file")]
    except ToolError:
        return []  # told by the engine's own check
    mine = "" if ids is None else ids.own
    others: dict[str, list[str]] = {}
    for name, labels in found:
        label = labels.get(TREE_LABEL, "")
        if label and not (ids and ids.name(label)):
            others.setdefault(label, []).append(name)
    if not others:
        return [Check("data tree", True, mine or "has no id yet")]
    told = "; ".join(f"{', '.join(sorted(names))} of tree {id_}" for id_, names in others.items())
    remedy = (
        "what another data tree made is left alone. Is that tree in use: set another CODEHUB_NAME_PREFIX"
        f" (here {settings.name_prefix}) for the one of the two that has no workspaces yet. Is it lost, and"
        f" shall this one have its workspaces: {_take_over(others, ids, settings)}, restart codehub run if"
        " it runs, and codehub up"
    )
    return [Check("data tree", True, f"{mine or 'no id yet'}; on this engine: {told}", remedy)]


def _take_over(others: Iterable[str], ids: tree.TreeIds | None, settings: RunnerSettings) -> str:
    """The commands that make the things of other trees this tree's."""
    lines = "".join(f"echo {id_} >>{shlex.quote(str(settings.paths.tree))}; " for id_ in others)
    first = "" if ids else "codehub up first, which gives this tree its own id, then "
    return first + lines.removesuffix("; ")


def _limits(info: dict[str, Any]) -> Check:
    missing = [name for key, name in LIMITS.items() if not info.get(key)]
    if not missing:
        return Check(
            "limits",
            True,
            f"{', '.join(LIMITS.values())} (cgroup v{info.get('CgroupVersion', '1')})",
        )
    detail = f"the engine cannot hold workspaces to their limits of {', '.join(missing)}"
    return Check("limits", False, detail, "enable these cgroup controllers in the kernel")


def _image(engine: Engine, image: images.Image) -> Check:
    name = f"image {image.name}"
    if images.ready(engine, image):
        return Check(name, True, image.key)
    found = "is out of date" if engine.image_id(f"{image.name}:latest") else "is missing"
    return Check(name, False, found, SET_UP)


def _data(folder: Path) -> Check:
    if not folder.exists():
        parent = next(p for p in folder.absolute().parents if p.exists())
        ok = os.access(parent, os.W_OK)
        return Check(
            "data folder", ok, f"{folder} is not there yet", "" if ok else f"make {folder} yours"
        )
    mode = stat.S_IMODE(folder.stat().st_mode)
    if mode & 0o077:
        return Check("data folder", False, f"{folder} is open to others", f"chmod 700 {folder}")
    ok = os.access(folder, os.W_OK)
    return Check("data folder", ok, str(folder), "" if ok else f"chown {os.geteuid()} {folder}")


def _space(folder: Path) -> Check:
    place = next(p for p in (folder, *folder.parents) if p.exists())
    free = shutil.disk_usage(place).free
    ok = free >= FREE_BYTES
    return Check(
        "disk", ok, f"{free >> 30} GB free at {place}", "" if ok else "make room: 5 GB are wanted"
    )


def _workspaces(folder: Path) -> Check:
    ok = folder.is_dir()
    detail = str(folder) if ok else f"{folder} is no folder"
    return Check("workspace files", ok, detail, "" if ok else "make it, or set CODEHUB_WORKSPACES")


def _repository() -> Check:
    """Whether a repository can be read; whether it answers is said by `codehub status`."""
    found = output(["git", "--version"]) or ""
    return Check("git", bool(found), found or "git is missing", "" if found else "install git")


def _edge(gateway: GatewaySettings) -> Check:
    """Whether the settings for a TLS edge before the gateway go together."""
    name = "TLS edge"
    secure = (gateway.base_url or "").startswith("https:")
    if secure and not gateway.trusted_proxies:
        return Check(
            name,
            False,
            f"no proxy is trusted for {gateway.base_url}: all visitors seem to come from its address,"
            " so they share one limit of failed logins, and the audit log names the proxy",
            "set CODEHUB_TRUSTED_PROXIES to the proxy's address, such as 127.0.0.1/32, and have it"
            " set X-Forwarded-For",
        )
    if gateway.trusted_proxies and gateway.base_url is None:
        return Check(
            name,
            False,
            "a proxy is trusted, but CODEHUB_BASE_URL does not say what browsers see: requests for"
            " the public host are refused (421), and cookies are not Secure",
            "set CODEHUB_BASE_URL to the public origin, such as https://hub.example.org",
        )
    return Check(name, True, f"{gateway.base_url} by a trusted proxy" if secure else "none")
