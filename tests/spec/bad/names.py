"""File names that are no ids."""

from tests.spec.bad.case import GOOD, Case, bad

CASES: list[Case] = [
    bad("id Alice.yaml", GOOD, (1, 1, "", "rename it, for example to alice"), file="Alice.yaml"),
    bad(
        "id a.yaml",
        GOOD,
        (1, 1, "", "2 to 40 of a-z, 0-9 and single -, beginning with a letter, not ending in -"),
        file="a.yaml",
    ),
    bad("id 1abc.yaml", GOOD, (1, 1, "", "rename it, for example to abc"), file="1abc.yaml"),
    bad(
        "id alice_demo.yaml",
        GOOD,
        (1, 1, "", "rename it, for example to alice-demo"),
        file="alice_demo.yaml",
    ),
    bad(
        "id alice--demo.yaml",
        GOOD,
        (1, 1, "", "rename it, for example to alice-demo"),
        file="alice--demo.yaml",
    ),
    bad("id alice-.yaml", GOOD, (1, 1, "", "rename it, for example to alice"), file="alice-.yaml"),
    bad(
        "id aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.yaml",
        GOOD,
        (1, 1, "", "rename it, for example to aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
        file="aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.yaml",
    ),
    bad("id api.yaml", GOOD, (1, 1, "", "choose another: api-1"), file="api.yaml"),
    bad("id login.yaml", GOOD, (1, 1, "", "choose another: login-1"), file="login.yaml"),
    bad(
        "id alice demo.yaml",
        GOOD,
        (1, 1, "", "rename it, for example to alice-demo"),
        file="alice demo.yaml",
    ),
    bad(
        "id 알리스.yaml",
        GOOD,
        (1, 1, "", "2 to 40 of a-z, 0-9 and single -, beginning with a letter, not ending in -"),
        file="알리스.yaml",
    ),
    bad(
        "id .yaml",
        GOOD,
        (1, 1, "", "2 to 40 of a-z, 0-9 and single -, beginning with a letter, not ending in -"),
        file=".yaml",
    ),
    bad(
        "id alice.demo.yaml",
        GOOD,
        (1, 1, "", "rename it, for example to alice-demo"),
        file="alice.demo.yaml",
    ),
    bad(
        "id and content",
        "owner: 5\n",
        (1, 1, "", "rename it, for example to alice"),
        (1, 1, "image", "add image: codehub/code-server"),
        (1, 8, "owner", 'put it in quotes: "5"'),
        file="Alice.yaml",
    ),
]
