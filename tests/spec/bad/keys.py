"""Keys that are unknown, not supported yet or many at once."""

from tests.spec.bad.case import GOOD, KEYS, Case, bad

CASES: list[Case] = [
    bad(
        "formerly no id",
        GOOD + "formerly: x\n",
        (
            3,
            11,
            "formerly",
            "2 to 40 of a-z, 0-9 and single -, beginning with a letter, not ending in -",
        ),
    ),
    bad(
        "formerly reserved", GOOD + "formerly: api\n", (3, 11, "formerly", "choose another: api-1")
    ),
    bad(
        "formerly a list",
        GOOD + "formerly: [bob]\n",
        (3, 11, "formerly", "write for example alice-old"),
    ),
    bad("formerly a number", GOOD + "formerly: 5\n", (3, 11, "formerly", 'put it in quotes: "5"')),
    bad(
        "formerly nothing",
        GOOD + "formerly:\n",
        (3, 1, "formerly", "give it one, or remove `formerly`"),
    ),
    bad(
        "formerly itself",
        GOOD + "formerly: alice-demo\n",
        (3, 11, "formerly", "remove `formerly`"),
    ),
    bad(
        "slip renamed_from",
        GOOD + "renamed_from: bob\n",
        (3, 1, "renamed_from", "did you mean formerly?"),
    ),
    bad("drift unknown", GOOD + "drift: x\n", (3, 8, "drift", "one of heal, report")),
    bad("drift near", GOOD + "drift: Heals\n", (3, 8, "drift", "did you mean heal?")),
    bad("drift true", GOOD + "drift: true\n", (3, 8, "drift", 'put it in quotes: "true"')),
    bad("later members", GOOD + "members: x\n", (3, 1, "members", "remove it")),
    bad("later repo", GOOD + "repo: x\n", (3, 1, "repo", "remove it")),
    bad("later ports", GOOD + "ports: x\n", (3, 1, "ports", "remove it")),
    bad("later disk", GOOD + "disk: x\n", (3, 1, "disk", "remove it")),
    bad("later mounts", GOOD + "mounts: x\n", (3, 1, "mounts", "remove it")),
    bad("later secrets", GOOD + "secrets: x\n", (3, 1, "secrets", "remove it")),
    bad("later target", GOOD + "target: x\n", (3, 1, "target", "remove it")),
    bad("later lifecycle", GOOD + "lifecycle: x\n", (3, 1, "lifecycle", "remove it")),
    bad("unknown far", GOOD + "zzzzzz: 1\n", (3, 1, "zzzzzz", KEYS)),
    bad(
        "unknown id",
        GOOD + "id: alice-demo\n",
        (3, 1, "id", "the id is the file's name: remove it"),
    ),
    bad("unknown name", "name: x\n" + GOOD, (1, 1, "name", "the id is the file's name: remove it")),
    bad("unknown empty", GOOD + '"": 1\n', (3, 1, "", KEYS)),
    bad("unknown number", GOOD + "5: 1\n", (3, 1, "5", KEYS)),
    bad("unknown null", GOOD + "~: 1\n", (3, 1, "~", KEYS)),
    bad("unknown long", GOOD + "k" * 100 + ": 1\n", (3, 1, "k" * 60 + "...", KEYS)),
    bad(
        "unknown extension",
        GOOD + "x-common: &c {cpu: 1}\nresources: *c\n",
        (3, 1, "x-common", KEYS),
    ),
    bad("unknown unprintable", GOOD + '"a\\u202eb": 1\n', (3, 1, "a\\u202eb", KEYS)),
    bad(
        "all at once",
        "owner: 5\nimge: x\nresources: {cpu: 0, memory: 4, pids: 1.5, disk: 3}\nenv:\n  1A: x\n  P: 8080\n  N:\nstate: cold\nmembers: x\nowner: y\n",
        (1, 1, "image", "add image: codehub/code-server"),
        (1, 8, "owner", 'put it in quotes: "5"'),
        (2, 1, "imge", "did you mean image?"),
        (3, 18, "resources.cpu", "give a number from 0.1 to 64"),
        (3, 29, "resources.memory", "add a unit: 4Gi or 4Mi"),
        (3, 38, "resources.pids", "write for example 4096"),
        (3, 43, "resources.disk", "remove it"),
        (5, 3, "env.1A", "did you mean A?"),
        (6, 6, "env.P", 'put it in quotes: "8080"'),
        (7, 3, "env.N", 'give it one, or "" for an empty one'),
        (8, 8, "state", "one of auto, running, warm"),
        (9, 1, "members", "remove it"),
        (10, 1, "", "remove it, or line 1"),
    ),
    bad(
        "more than a report holds",
        GOOD + "".join(f"k{i}: 1\n" for i in range(150)),
        *((n, 1, f"k{n - 3}", KEYS) for n in range(3, 103)),
        (103, 1, "", "mend those above first"),
    ),
]
