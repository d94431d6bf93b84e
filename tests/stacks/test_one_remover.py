"""The audit: exactly one function of the product can remove a home volume."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from stacks.engine.command import Servers, arguments
from stacks.engine.model import Kind, Operation

ROOT = Path(__file__).parents[2]
ROOMS = (
    "cli",
    "gateway",
    "policies",
    "settings",
    "spec",
    "stacks",
    "state_index",
    "telemetry",
    "tools",
)
SCRIPTS = ("scripts", "deploy", "images", ".ci")

ENDS = {"delete", "remove", "prune", "rm", "unlink", "rmtree"}


@cache
def product() -> tuple[tuple[str, ast.Module], ...]:
    return tuple(
        (".".join(path.relative_to(ROOT).with_suffix("").parts), ast.parse(path.read_text()))
        for room in ROOMS
        for path in sorted((ROOT / room).rglob("*.py"))
    )


def functions(module: ast.Module, name: str) -> Iterator[tuple[str, ast.AST]]:
    """Every function with its own body, inner ones apart."""
    todo: list[tuple[str, ast.AST]] = [(name, module)]
    while todo:
        where, node = todo.pop()
        yield where, node
        todo += [(f"{where}.{inner.name}", inner) for inner in scopes(node)]


def scopes(node: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield child
        else:
            yield from scopes(child)


def own(node: ast.AST) -> Iterator[ast.AST]:
    """All below a node but for inner functions and classes."""
    for child in ast.iter_child_nodes(node):
        yield child
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield from own(child)


def names(node: ast.AST) -> set[str]:
    found = {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
    found |= {each.attr for each in ast.walk(node) if isinstance(each, ast.Attribute)}
    texts = (each.value for each in ast.walk(node) if isinstance(each, ast.Constant))
    return found | {word for text in texts if isinstance(text, str) for word in text.split("/")}


def called(node: ast.AST) -> str:
    """The last part of what a call names, "" for what is no call."""
    if not isinstance(node, ast.Call):
        return ""
    if isinstance(node.func, ast.Attribute):
        return node.func.attr
    return node.func.id if isinstance(node.func, ast.Name) else ""


def callers(wanted: str) -> set[str]:
    """The functions that call, or hand on, something of that name."""
    return {
        where
        for name, module in product()
        for where, node in functions(module, name)
        for each in own(node)
        if called(each) == wanted
        or (
            isinstance(each, ast.Attribute)
            and each.attr == wanted
            and isinstance(each.ctx, ast.Load)
        )
    }


def test_one_function_asks_the_engine_to_remove_a_volume() -> None:
    """Whoever touches the engine's volumes and ends something is found, by any way of the client."""
    found = {
        where
        for name, module in product()
        if "aiodocker" in names(module) or "docker" in names(module)
        for where, node in functions(module, name)
        if {"DockerVolume", "volumes"} & {word for each in own(node) for word in names_of(each)}
        and any(called(each) in ENDS for each in own(node))
    }
    assert found == {"stacks.home_volumes.remove"}


def names_of(node: ast.AST) -> set[str]:
    if isinstance(node, ast.Name):
        return {node.id}
    return {node.attr} if isinstance(node, ast.Attribute) else set()


def users(owner: str, attribute: str) -> set[str]:
    """The functions that speak of `owner.attribute`."""
    return {
        where
        for name, module in product()
        for where, node in functions(module, name)
        for each in own(node)
        if isinstance(each, ast.Attribute)
        and each.attr == attribute
        and isinstance(each.value, ast.Name)
        and each.value.id == owner
    }


def test_the_way_to_it_is_a_single_file() -> None:
    """`homes.remove` decides and is alone at the head of the way down to the engine."""
    assert users("homes", "remove") == {"stacks.endings.Endings.purge"}
    assert callers("remove_volume") == {"stacks.endings._Hands.__init__", "stacks.homes._remove"}
    assert callers("remove_home") == {"stacks.endings.Endings.remove_volume"}
    assert users("home_volumes", "remove") == {"stacks.power_docker.DockerPower.remove_home"}


@pytest.mark.parametrize("method", ["DELETE", "delete"])
def test_nobody_speaks_to_the_engine_past_its_client(method: str) -> None:
    """A raw call of the engine's API with DELETE would be a way of its own."""
    found = {
        name
        for name, module in product()
        for each in ast.walk(module)
        if isinstance(each, ast.Call)
        and called(each) in {"_query", "_query_json", "request", "_do_query"}
        and any(isinstance(part, ast.Constant) and part.value == method for part in ast.walk(each))
    }
    assert found == set()


def test_removing_a_container_leaves_its_volumes() -> None:
    """`v=True` takes volumes without a name along; a home has one, so only the probes' may be so."""
    found = {
        (name, keyword.value.value)
        for name, module in product()
        for each in ast.walk(module)
        if called(each) == "delete" and isinstance(each, ast.Call)
        for keyword in each.keywords
        if keyword.arg == "v" and isinstance(keyword.value, ast.Constant)
    }
    assert found == {("stacks.power_docker", False), ("stacks.isolation.containers", True)}


def test_no_command_line_of_ours_removes_volumes() -> None:
    told = ("volume rm", "volume remove", "volume prune", "system prune")
    words = [set(line.split()) for line in told]
    found = []
    for name, module in product():
        for each in ast.walk(module):
            if not isinstance(each, ast.List | ast.Tuple | ast.Call):
                continue
            parts = list(each.args) if isinstance(each, ast.Call) else each.elts
            texts = {part.value for part in parts if isinstance(part, ast.Constant)}
            if any(line <= texts for line in words):
                found.append(name)
    assert found == []
    for folder in SCRIPTS:
        for path in (ROOT / folder).rglob("*"):
            text = path.read_text(errors="replace") if path.is_file() else ""
            assert not any(line in text for line in told), path


def test_pulumi_removes_no_home() -> None:
    """A destroy spares what is protected, and the home is, and stays when Pulumi forgets it."""
    destroy = Operation(kind=Kind.DESTROY, stack="ws")
    assert "--exclude-protected" in arguments(destroy, Servers(address="h:1"))
    module = dict(product())["stacks.programs.docker"]
    volumes = [each for each in ast.walk(module) if called(each) == "Volume"]
    assert len(volumes) == 1
    options = {
        keyword.arg: keyword.value.value
        for each in ast.walk(volumes[0])
        if isinstance(each, ast.Call)
        for keyword in each.keywords
        if isinstance(keyword.value, ast.Constant)
    }
    assert options["protect"] is True
    assert options["retain_on_delete"] is True
    makers = {name for name, found in product() if "Volume" in {called(e) for e in ast.walk(found)}}
    assert makers == {"stacks.programs.docker"}
    words = {word for name, found in product() for word in texts(found)}
    assert not words & {"unprotect", "state delete", "--force", "--exclude-dependents"}


def texts(module: ast.Module) -> set[str]:
    return {
        each.value
        for each in ast.walk(module)
        if isinstance(each, ast.Constant) and isinstance(each.value, str)
    }
