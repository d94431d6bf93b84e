"""Bad `_owners.yaml` files."""

from tests.spec.bad.case import Case, Told, bad

P = "people: {alice: {}, bob: {}}\n"
KEYS = "the keys are people, teams, approvers, admins"
AT = "write it without @, as the forge's address of the user ends"
NAME = "1 to 63 of a-z, 0-9, `.`, `_` and `-`, from a letter or digit to another"


def one(name: str, content: str | bytes, *told: Told) -> Case:
    return bad(f"owners: {name}", content, *told, file="_owners.yaml")


def quota(name: str, content: str, *told: Told) -> Case:
    """A quota of alice's, from line 2 and column 10 on."""
    return one(f"quota {name}", f"people:\n  alice: {{quota: {{{content}}}}}\n", *told)


CASES: list[Case] = [
    one("empty", "", (1, 1, "", "write people: {alice: {}}")),
    one("comment only", "# none\n", (1, 1, "", "write people: {alice: {}}")),
    one("a list", "- alice\n", (1, 1, "", "write people: {alice: {}}")),
    one("not UTF-8", b"people: {\xff: {}}\n", (1, 10, "", "save it as UTF-8")),
    one("too long", "# " + "x" * (256 * 1024), (1, 1, "", "make it shorter")),
    one("no people", "admins: []\n", (1, 1, "people", "add people: {alice: {}}")),
    one("people null", "people:\n", (1, 1, "people", "write people: {alice: {}}")),
    one("people list", "people: [alice]\n", (1, 9, "people", "write people: {alice: {}}")),
    one("twice", P + "people: {}\n", (2, 1, "", "remove it, or line 1")),
    one("person twice", "people:\n  a: {}\n  a: {}\n", (3, 3, "", "remove it, or line 2")),
    one("unknown", P + "admin: []\n", (2, 1, "admin", "did you mean admins?")),
    one("slip", P + "groups: {}\n", (2, 1, "groups", "did you mean teams?")),
    one("far unknown", P + "zzz: 1\n", (2, 1, "zzz", KEYS)),
    one("upper case", "people: {Alice: {}}\n", (1, 10, "people.Alice", "did you mean alice?")),
    one("no name", 'people: {"": {}}\n', (1, 10, "people.", NAME)),
    one("person null", "people:\n  alice:\n", (2, 3, "people.alice", "write alice: {}")),
    one("person text", "people: {alice: yes}\n", (1, 17, "people.alice", "write alice: {}")),
    one(
        "person unknown",
        "people: {alice: {quotas: {}}}\n",
        (1, 18, "people.alice.quotas", "did you mean quota?"),
    ),
    one(
        "logins text",
        "people: {alice: {logins: x}}\n",
        (1, 26, "people.alice.logins", "write logins: {github: alice-gh}"),
    ),
    one(
        "a forge that is none",
        "people: {alice: {logins: {githb: x}}}\n",
        (1, 27, "people.alice.logins.githb", "did you mean github?"),
    ),
    one(
        "a login with @",
        'people: {alice: {logins: {github: "@x"}}}\n',
        (1, 35, "people.alice.logins.github", AT),
    ),
    one(
        "a login that is a number",
        "people: {alice: {logins: {gitea: 5}}}\n",
        (1, 34, "people.alice.logins.gitea", 'put it in quotes: "5"'),
    ),
    one(
        "a login null",
        "people:\n  alice: {logins: {gitlab: }}\n",
        (2, 20, "people.alice.logins.gitlab", "write gitlab: ..."),
    ),
    one(
        "one login twice",
        "people:\n  alice: {logins: {github: X}}\n  bob: {logins: {github: x}}\n",
        (3, 26, "people.bob.logins.github", "name another login"),
    ),
    one(
        "another's name as a login",
        "people:\n  alice: {logins: {github: bob}}\n  bob: {}\n",
        (2, 28, "people.alice.logins.github", "name another login"),
    ),
    quota("text", "cpu: two", (2, 24, "people.alice.quota.cpu", "write for example 8 or 0.5")),
    quota("quoted", 'cpu: "8"', (2, 24, "people.alice.quota.cpu", "remove the quotes: 8")),
    quota("cpu null", "cpu: ", (2, 19, "people.alice.quota.cpu", "give it one, or remove `cpu`")),
    quota("cpu low", "cpu: -1", (2, 24, "people.alice.quota.cpu", "from 0 to 1000000")),
    quota("cpu high", "cpu: 1000001", (2, 24, "people.alice.quota.cpu", "from 0 to 1000000")),
    quota("cpu fine", "cpu: 1.0001", (2, 24, "people.alice.quota.cpu", "write 1.0")),
    quota("cpu true", "cpu: true", (2, 24, "people.alice.quota.cpu", "write for example 8 or 0.5")),
    quota("no unit", "memory: 16", (2, 27, "people.alice.quota.memory", "add a unit: 16Gi")),
    quota("slip unit", "memory: 16GB", (2, 27, "people.alice.quota.memory", "write 16Gi")),
    quota("memory high", "memory: 1025Ti", (2, 27, "people.alice.quota.memory", "at most 1024Ti")),
    quota(
        "memory list",
        "memory: [1Gi]",
        (2, 27, "people.alice.quota.memory", "write for example 16Gi"),
    ),
    quota("count", "workspaces: 1.5", (2, 31, "people.alice.quota.workspaces", "write for example 3")),
    quota("count low", "workspaces: -1", (2, 31, "people.alice.quota.workspaces", "from 0 to 1000000")),
    quota("quota slip", "ram: 1Gi", (2, 19, "people.alice.quota.ram", "did you mean memory?")),
    quota(
        "quota unknown",
        "zzz: 1",
        (2, 19, "people.alice.quota.zzz", "the keys are cpu, memory, workspaces"),
    ),
    one(
        "a team without members",
        P + "teams: {data: {}}\n",
        (2, 15, "teams.data.members", "add members: [alice, bob]"),
    ),
    one(
        "members that are no list",
        P + "teams: {data: {members: alice}}\n",
        (2, 25, "teams.data.members", "write members: [alice, bob]"),
    ),
    one(
        "a member that is no name",
        P + "teams: {data: {members: [alice, 5]}}\n",
        (2, 33, "teams.data.members.1", 'put it in quotes: "5"'),
    ),
    one(
        "strangers everywhere",
        P + "teams: {t: {members: [alise], maintainers: [zed]}}\napprovers: [bop]\nadmins: [x]\n",
        (2, 23, "teams.t.members.0", "did you mean alice?"),
        (2, 45, "teams.t.maintainers.0", "add zed: {} to people"),
        (3, 13, "approvers.0", "did you mean bob?"),
        (4, 10, "admins.0", "add x: {} to people"),
    ),
    one("a team null", P + "teams:\n  data:\n", (3, 3, "teams.data", "write data: {members: [alice, bob]}")),
    one("team quota", P + "teams: {t: {members: [], quota: {cpu: x}}}\n",
        (2, 39, "teams.t.quota.cpu", "write for example 8 or 0.5")),
    one("admins text", P + "admins: alice\n", (2, 9, "admins", "write admins: [carol]")),
    one("admins mapping", P + "admins: {alice: {}}\n", (2, 9, "admins", "write admins: [carol]")),
]  # fmt: skip
