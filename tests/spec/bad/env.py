"""Bad variables."""

from tests.spec.bad.case import GOOD, Case, bad

CASES: list[Case] = [
    bad("env null", GOOD + "env:\n", (3, 1, "env", "give it one, or remove `env`")),
    bad(
        "env list", GOOD + "env:\n  - TZ=Asia/Seoul\n", (4, 3, "env", "write env: {TZ: Asia/Seoul}")
    ),
    bad("env text", GOOD + "env: TZ=Asia/Seoul\n", (3, 6, "env", "write env: {TZ: Asia/Seoul}")),
    bad(
        "env number", GOOD + "env:\n  PORT: 8080\n", (4, 9, "env.PORT", 'put it in quotes: "8080"')
    ),
    bad("env float", GOOD + "env: {V: 1.10}\n", (3, 10, "env.V", 'put it in quotes: "1.10"')),
    bad(
        "env bool", GOOD + "env: {DEBUG: true}\n", (3, 14, "env.DEBUG", 'put it in quotes: "true"')
    ),
    bad(
        "env null value",
        GOOD + "env:\n  A:\n  B: x\n",
        (4, 3, "env.A", 'give it one, or "" for an empty one'),
    ),
    bad(
        "env tilde", GOOD + "env: {A: ~}\n", (3, 10, "env.A", 'give it one, or "" for an empty one')
    ),
    bad(
        "env mapping value",
        GOOD + "env:\n  A: {b: c}\n",
        (4, 6, "env.A", 'write for example "8080"'),
    ),
    bad("env name digit", GOOD + "env: {1A: x}\n", (3, 7, "env.1A", "did you mean A?")),
    bad(
        "env name dash",
        GOOD + "env: {MY-NAME: x}\n",
        (3, 7, "env.MY-NAME", "did you mean MY_NAME?"),
    ),
    bad(
        "env name empty",
        GOOD + 'env: {"": x}\n',
        (3, 7, "env.", "up to 128 of A-Z, a-z, 0-9 and _, not beginning with a digit"),
    ),
    bad("env name space", GOOD + "env: {A B: x}\n", (3, 7, "env.A B", "did you mean A_B?")),
    bad("env name equals", GOOD + 'env:\n  "A=B": x\n', (4, 3, "env.A=B", "did you mean A_B?")),
    bad(
        "env name dollar",
        GOOD + "env: {$: x}\n",
        (3, 7, "env.$", "up to 128 of A-Z, a-z, 0-9 and _, not beginning with a digit"),
    ),
    bad(
        "env name long",
        GOOD + "env: {" + "A" * 129 + ": x}\n",
        (
            3,
            7,
            "env." + "A" * 60 + "...",
            "up to 128 of A-Z, a-z, 0-9 and _, not beginning with a digit",
        ),
    ),
    bad(
        "env reserved",
        GOOD + "env: {CODEHUB_ID: x}\n",
        (3, 7, "env.CODEHUB_ID", "choose another name"),
    ),
    bad("env nul", GOOD + 'env: {A: "a\\0b"}\n', (3, 10, "env.A", "remove the \\0")),
    bad(
        "env too many",
        GOOD + "env:\n" + "".join(f"  A{i}: x\n" for i in range(257)),
        (4, 3, "env", "at most 256"),
    ),
    bad(
        "env too long",
        GOOD + "env: {A: " + "x" * 33000 + "}\n",
        (3, 6, "env", "at most 32Ki: put long texts in a file of the home"),
    ),
    bad(
        "env name and value",
        GOOD + "env:\n  1A: 5\n",
        (4, 3, "env.1A", "did you mean A?"),
        (4, 7, "env.1A", 'put it in quotes: "5"'),
    ),
    bad("env key slip", GOOD + "environment: {A: b}\n", (3, 1, "environment", "did you mean env?")),
    bad("env case", GOOD + "ENV: {A: b}\n", (3, 1, "ENV", "did you mean env?")),
    bad(
        "env name a number",
        GOOD + "env: {5: x}\n",
        (3, 7, "env.5", "up to 128 of A-Z, a-z, 0-9 and _, not beginning with a digit"),
    ),
]
