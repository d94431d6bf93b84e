"""Bad values under resources."""

from tests.spec.bad.case import GOOD, Case, bad

CASES: list[Case] = [
    bad(
        "resources null",
        GOOD + "resources:\n",
        (3, 1, "resources", "give it one, or remove `resources`"),
    ),
    bad(
        "resources text",
        GOOD + "resources: small\n",
        (3, 12, "resources", "write resources: {cpu: 2, memory: 4Gi}"),
    ),
    bad(
        "resources list",
        GOOD + "resources: [2, 4Gi]\n",
        (3, 12, "resources", "write resources: {cpu: 2, memory: 4Gi}"),
    ),
    bad(
        "resources number",
        GOOD + "resources: 2\n",
        (3, 12, "resources", "write resources: {cpu: 2, memory: 4Gi}"),
    ),
    bad(
        "resources unknown",
        GOOD + "resources: {cpus: 2}\n",
        (3, 13, "resources.cpus", "did you mean cpu?"),
    ),
    bad(
        "resources far unknown",
        GOOD + "resources:\n  cpu: 2\n  zzz: 1\n",
        (5, 3, "resources.zzz", "the keys are cpu, memory, pids"),
    ),
    bad(
        "resources later",
        GOOD + "resources: {disk: 10Gi}\n",
        (3, 13, "resources.disk", "remove it"),
    ),
    bad(
        "resources slip",
        GOOD + "resources: {ram: 4Gi}\n",
        (3, 13, "resources.ram", "did you mean memory?"),
    ),
    bad(
        "resources key slip",
        GOOD + "resource: {cpu: 2}\n",
        (3, 1, "resource", "did you mean resources?"),
    ),
    bad(
        "resources at top",
        GOOD + "memory: 4Gi\n",
        (3, 1, "memory", "write resources: {memory: ...}"),
    ),
    bad(
        "resources limits", GOOD + "limits: {cpu: 2}\n", (3, 1, "limits", "did you mean resources?")
    ),
    bad(
        "cpu null",
        GOOD + "resources: {cpu: }\n",
        (3, 13, "resources.cpu", "give it one, or remove `cpu`"),
    ),
    bad(
        "cpu quoted",
        GOOD + 'resources: {cpu: "2"}\n',
        (3, 18, "resources.cpu", "remove the quotes: 2"),
    ),
    bad(
        "cpu word",
        GOOD + "resources: {cpu: two}\n",
        (3, 18, "resources.cpu", "write for example 2 or 0.5"),
    ),
    bad(
        "cpu unit", GOOD + "resources: {cpu: 500m}\n", (3, 18, "resources.cpu", "write cores: 0.5")
    ),
    bad(
        "cpu zero",
        GOOD + "resources: {cpu: 0}\n",
        (3, 18, "resources.cpu", "give a number from 0.1 to 64"),
    ),
    bad(
        "cpu negative",
        GOOD + "resources: {cpu: -1}\n",
        (3, 18, "resources.cpu", "give a number from 0.1 to 64"),
    ),
    bad(
        "cpu low",
        GOOD + "resources: {cpu: 0.05}\n",
        (3, 18, "resources.cpu", "give a number from 0.1 to 64"),
    ),
    bad(
        "cpu high",
        GOOD + "resources: {cpu: 65}\n",
        (3, 18, "resources.cpu", "give a number from 0.1 to 64"),
    ),
    bad(
        "cpu nan",
        GOOD + "resources: {cpu: .nan}\n",
        (3, 18, "resources.cpu", "give a number from 0.1 to 64"),
    ),
    bad(
        "cpu inf",
        GOOD + "resources: {cpu: -.inf}\n",
        (3, 18, "resources.cpu", "give a number from 0.1 to 64"),
    ),
    bad("cpu fine", GOOD + "resources: {cpu: 0.12345}\n", (3, 18, "resources.cpu", "write 0.123")),
    bad(
        "cpu bool",
        GOOD + "resources: {cpu: true}\n",
        (3, 18, "resources.cpu", "write for example 2 or 0.5"),
    ),
    bad(
        "cpu list",
        GOOD + "resources: {cpu: [1]}\n",
        (3, 18, "resources.cpu", "write for example 2 or 0.5"),
    ),
    bad(
        "cpu huge",
        GOOD + "resources:\n  cpu: 1" + "0" * 400 + "\n",
        (4, 8, "resources.cpu", "give a number from 0.1 to 64"),
    ),
    bad(
        "cpu mapping",
        GOOD + "resources: {cpu: {limit: 2}}\n",
        (3, 18, "resources.cpu", "write for example 2 or 0.5"),
    ),
    bad(
        "memory null",
        GOOD + "resources: {memory: null}\n",
        (3, 21, "resources.memory", "give it one, or remove `memory`"),
    ),
    bad(
        "memory no unit",
        GOOD + "resources: {memory: 4}\n",
        (3, 21, "resources.memory", "add a unit: 4Gi or 4Mi"),
    ),
    bad(
        "memory bytes",
        GOOD + "resources: {memory: 4294967296}\n",
        (3, 21, "resources.memory", "write 4Gi"),
    ),
    bad(
        "memory float",
        GOOD + "resources: {memory: 1.5}\n",
        (3, 21, "resources.memory", "add a unit: 1.5Gi or 1.5Mi"),
    ),
    bad("memory GB", GOOD + "resources: {memory: 4GB}\n", (3, 21, "resources.memory", "write 4Gi")),
    bad(
        "memory GiB", GOOD + "resources: {memory: 4GiB}\n", (3, 21, "resources.memory", "write 4Gi")
    ),
    bad(
        "memory lower",
        GOOD + "resources: {memory: 512mi}\n",
        (3, 21, "resources.memory", "write 512Mi"),
    ),
    bad(
        "memory space",
        GOOD + "resources: {memory: 4 Gi}\n",
        (3, 21, "resources.memory", "write 4Gi"),
    ),
    bad(
        "memory comma",
        GOOD + "resources:\n  memory: 1,5Gi\n",
        (4, 11, "resources.memory", "write 1.5Gi"),
    ),
    bad(
        "memory quoted number",
        GOOD + 'resources: {memory: "4"}\n',
        (3, 21, "resources.memory", "add a unit: 4Gi or 4Mi"),
    ),
    bad(
        "memory unknown unit",
        GOOD + "resources: {memory: 4Pi}\n",
        (3, 21, "resources.memory", "the units are Ki, Mi, Gi, Ti, K, M, G, T: write 4Gi or 4Mi"),
    ),
    bad(
        "memory text",
        GOOD + "resources: {memory: lots}\n",
        (3, 21, "resources.memory", "write a number and a unit, such as 512Mi or 4Gi"),
    ),
    bad(
        "memory low",
        GOOD + "resources: {memory: 63Mi}\n",
        (3, 21, "resources.memory", "give a size from 64Mi to 1Ti"),
    ),
    bad(
        "memory high",
        GOOD + "resources: {memory: 1025Gi}\n",
        (3, 21, "resources.memory", "give a size from 64Mi to 1Ti"),
    ),
    bad(
        "memory negative",
        GOOD + "resources: {memory: -4Gi}\n",
        (3, 21, "resources.memory", "write a number and a unit, such as 512Mi or 4Gi"),
    ),
    bad(
        "memory fraction of a byte",
        GOOD + "resources: {memory: 100000.0001K}\n",
        (3, 21, "resources.memory", "use a smaller unit"),
    ),
    bad(
        "memory bool",
        GOOD + "resources: {memory: false}\n",
        (3, 21, "resources.memory", "write for example 4Gi"),
    ),
    bad(
        "memory list",
        GOOD + "resources: {memory: [4Gi]}\n",
        (3, 21, "resources.memory", "write for example 4Gi"),
    ),
    bad(
        "memory negative number",
        GOOD + "resources: {memory: -5}\n",
        (3, 21, "resources.memory", "write a number and a unit, such as 512Mi or 4Gi"),
    ),
    bad(
        "pids null",
        GOOD + "resources: {pids: ~}\n",
        (3, 19, "resources.pids", "give it one, or remove `pids`"),
    ),
    bad(
        "pids text",
        GOOD + "resources: {pids: many}\n",
        (3, 19, "resources.pids", "write for example 4096"),
    ),
    bad(
        "pids quoted",
        GOOD + "resources: {pids: '4096'}\n",
        (3, 19, "resources.pids", "remove the quotes: 4096"),
    ),
    bad(
        "pids float",
        GOOD + "resources: {pids: 100.5}\n",
        (3, 19, "resources.pids", "write for example 4096"),
    ),
    bad(
        "pids low",
        GOOD + "resources: {pids: 63}\n",
        (3, 19, "resources.pids", "give a whole number from 64 to 131072"),
    ),
    bad(
        "pids high",
        GOOD + "resources: {pids: 131073}\n",
        (3, 19, "resources.pids", "give a whole number from 64 to 131072"),
    ),
    bad(
        "pids unit",
        GOOD + "resources: {pids: 4Ki}\n",
        (3, 19, "resources.pids", "write for example 4096"),
    ),
    bad(
        "pids huge",
        GOOD + "resources: {pids: 0x" + "f" * 200 + "}\n",
        (3, 19, "resources.pids", "give a whole number from 64 to 131072"),
    ),
    bad(
        "pids bool",
        GOOD + "resources: {pids: true}\n",
        (3, 19, "resources.pids", "write for example 4096"),
    ),
    bad(
        "pids minus",
        GOOD + "resources: {pids: -1}\n",
        (3, 19, "resources.pids", "give a whole number from 64 to 131072"),
    ),
    bad(
        "pids list",
        GOOD + "resources: {pids: []}\n",
        (3, 19, "resources.pids", "write for example 4096"),
    ),
    bad(
        "pids key slip",
        GOOD + "resources: {pid: 100}\n",
        (3, 13, "resources.pid", "did you mean pids?"),
    ),
]
