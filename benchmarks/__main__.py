"""`scripts/bench [SCENARIO ...] [--pairs N]`: measures, prints a table, keeps the raw figures."""

import argparse
import asyncio
import sys
import traceback
from collections.abc import Awaitable, Callable
from pathlib import Path

from benchmarks import fleets, hooks, idle, memory, power, publish, review, route, shape
from benchmarks.harness import Result, machine, results_file, save, table

RESULTS = Path(__file__).parent / "results"
PAIRS = 20
FLEET_PAIRS = 3
"""A pair of fleets takes a minute or two."""
IDLE_WINDOWS = 12
PUBLISHES = 500

Scenario = Callable[[int], Awaitable[Result | list[Result]]]
SCENARIOS: dict[str, tuple[Scenario, int]] = {
    "start": (power.start, PAIRS),
    "create": (power.create, PAIRS),
    "route-switch": (route.switch, PAIRS),
    "publish-route": (publish.publish_route, PUBLISHES),
    "operation": (shape.operation, PAIRS),
    "first-up": (shape.first_up, FLEET_PAIRS),
    "no-op": (shape.no_op_up, PAIRS),
    "one-of-many": (fleets.one_of_many, PAIRS),
    "thousand": (fleets.among_a_thousand, PAIRS),
    "idle": (idle.idle, IDLE_WINDOWS),
    "memory": (memory.memory, 1),
    "review": (review.review, PAIRS),
    "webhook": (hooks.webhook, PAIRS),
}


async def measure(
    names: list[str], pairs: int | None, keep: Callable[[list[Result]], None]
) -> tuple[list[Result], list[str]]:
    """Run scenarios one after the other; give the results, and the names of those that failed.

    `keep` gets all results so far after each, so that one that hangs does not lose the others.
    """
    results: list[Result] = []
    failed: list[str] = []
    for name in names:
        scenario, usual = SCENARIOS[name]
        print(f"{name}:", flush=True)
        try:
            made = await scenario(pairs or usual)
        except Exception:  # noqa: BLE001 - the others' figures shall not be lost with it
            traceback.print_exc()
            failed.append(name)
            continue
        results += made if isinstance(made, list) else [made]
        keep(results)
    return results, failed


def main() -> None:
    """Read the arguments, measure, print and save."""
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("scenario", nargs="*", choices=[*SCENARIOS, []], help="all by default")
    parser.add_argument("--pairs", type=int, help="how many pairs instead of the usual number")
    arguments = parser.parse_args()
    names = arguments.scenario or list(SCENARIOS)
    facts = machine()
    file = results_file(RESULTS, facts)
    results, failed = asyncio.run(
        measure(names, arguments.pairs, lambda made: save(made, facts, file))
    )
    print(table(results))
    if results:
        print(f"raw figures: {file.relative_to(Path.cwd())}")
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
