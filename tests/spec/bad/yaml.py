"""What YAML itself refuses, and what of YAML we refuse."""

from tests.spec.bad.case import GOOD, IMAGE, OWNER, Case, bad

BOMB = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"a{i}: &a{i} [{','.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 9)
)
TAG = "remove it, or quote a text that begins with !"
ALIAS = "define it before: &name, or quote a text that begins with *"

CASES: list[Case] = [
    bad("yaml duplicate", GOOD + "owner: bob\n", (3, 1, "", "remove it, or line 1")),
    bad(
        "yaml duplicate nested",
        GOOD + "env:\n  A: x\n  B: y\n  A: z\n",
        (6, 3, "", "remove it, or line 4"),
    ),
    bad("yaml duplicate quoted", GOOD + "'owner': bob\n", (3, 1, "", "remove it, or line 1")),
    bad("yaml tag", GOOD + "state: !!str auto\n", (3, 8, "", TAG)),
    bad("yaml local tag", GOOD + "env: !foo {A: b}\n", (3, 6, "", TAG)),
    bad(
        "yaml python tag",
        GOOD + "env: !!python/object/apply:os.system [x]\n",
        (3, 6, "", TAG),
        (3, 38, "env", "write env: {TZ: Asia/Seoul}"),
    ),
    bad("yaml tag on key", GOOD + "!k state: auto\n", (3, 1, "", TAG)),
    bad(
        "yaml tag on list",
        OWNER + "image: !!seq [a]\n",
        (2, 8, "", TAG),
        (2, 14, "image", "write for example codehub/code-server"),
    ),
    bad("yaml alias undefined", GOOD + "env: *e\n", (3, 6, "", ALIAS)),
    bad("yaml alias of itself", GOOD + "env: &e {A: *e}\n", (3, 13, "", "write it out")),
    bad(
        "yaml alias type",
        GOOD + "env: &e {A: b}\nstate: *e\n",
        (4, 8, "state", "write for example auto"),
    ),
    bad(
        "yaml alias value",
        "owner: &o Alice\nimage: *o\n",
        (1, 11, "owner", "did you mean alice?"),
        (2, 8, "image", "write the name in lower case: alice"),
    ),
    bad("yaml alias bomb", GOOD + BOMB, (6, 45, "", "use fewer aliases")),
    bad(
        "yaml many values",
        GOOD + "env: [" + ",".join("a" * 1 for _ in range(5000)) + "]\n",
        (3, 10006, "", "use fewer aliases"),
    ),
    bad("yaml merge scalar", GOOD + "env: {<<: x}\n", (3, 11, "", "write <<: *name")),
    bad(
        "yaml merge list of scalars",
        GOOD + "env:\n  <<: [x, {A: b}]\n",
        (4, 8, "", "write <<: *name"),
    ),
    bad(
        "yaml merge twice",
        GOOD + "env:\n  <<: {A: b}\n  <<: {B: c}\n",
        (5, 3, "", "write <<: [*one, *two]"),
    ),
    bad("yaml merge undefined", GOOD + "env: {<<: *x}\n", (3, 11, "", ALIAS)),
    bad("yaml broken key", GOOD + "*x : 1\n", (3, 1, "", ALIAS)),
    bad(
        "yaml alias of a list",
        "owner: &o [a]\nimage: *o\n",
        (1, 11, "owner", "write for example alice"),
        (2, 8, "image", "write for example codehub/code-server"),
    ),
    bad(
        "yaml alias of a broken value",
        GOOD + 'env: {A: &a "\\ud800", B: *a}\n',
        (3, 13, "", 'write "\\U0001F600", not two "\\u"'),
    ),
    bad(
        "yaml merge bad value",
        GOOD + "env: {<<: {A: 5}}\n",
        (3, 15, "env.A", 'put it in quotes: "5"'),
    ),
    bad("yaml key list", GOOD + "? [a]\n: b\n", (3, 3, "", "write `key: value`")),
    bad("yaml key mapping", GOOD + "? {a: b}\n: c\n", (3, 3, "", "write `key: value`")),
    bad("yaml deep list", GOOD + "env: " + "[" * 40 + "]" * 40 + "\n", (3, 21, "", "flatten it")),
    bad(
        "yaml deep mapping",
        GOOD + "env:\n" + "".join("  " * i + "k:\n" for i in range(1, 30)),
        (18, 31, "", "flatten it"),
    ),
    bad("yaml documents", GOOD + "---\n" + GOOD, (3, 1, "", "one file per workspace")),
    bad("yaml documents empty second", GOOD + "---\n", (3, 1, "", "one file per workspace")),
    bad("yaml documents after end", GOOD + "...\n" + GOOD, (4, 1, "", "one file per workspace")),
    bad("yaml directive later", GOOD + "...\n%YAML 1.1\n---\n", (4, 10, "", "remove it")),
    bad("yaml directive", "%YAML 1.1\n---\n" + GOOD, (1, 1, "", "remove this line")),
    bad(
        "yaml tag directive",
        "# c\n\n%TAG !e! tag:example.org,2000:\r\n%YAML 1.1\n---\n" + GOOD + "state: cold\n",
        (3, 1, "", "remove this line"),
        (4, 1, "", "remove this line"),
        (8, 8, "state", "one of auto, running, warm"),
    ),
    bad("yaml empty", "", (1, 1, "", "write owner: alice and image: codehub/code-server")),
    bad("yaml blank", "\n\n  \n", (1, 1, "", "write owner: alice and image: codehub/code-server")),
    bad(
        "yaml comment only",
        "# nothing\n",
        (1, 1, "", "write owner: alice and image: codehub/code-server"),
    ),
    bad(
        "yaml only separator",
        "---\n",
        (1, 1, "", "write owner: alice and image: codehub/code-server"),
    ),
    bad(
        "yaml null document", "~\n", (1, 1, "", "write owner: alice and image: codehub/code-server")
    ),
    bad("yaml scalar", "hello\n", (1, 1, "", "write owner: alice and image: codehub/code-server")),
    bad("yaml no space", "owner:alice\n", (1, 1, "", "write `key: value`")),
    bad(
        "yaml list",
        "- owner: alice\n",
        (1, 1, "", "write owner: alice and image: codehub/code-server"),
    ),
    bad("yaml number", "42\n", (1, 1, "", "write owner: alice and image: codehub/code-server")),
    bad("yaml tab indent", GOOD + "env:\n\tA: b\n", (4, 1, "", "indent and separate with spaces")),
    bad(
        "yaml tab after key", GOOD + "state:\tauto\n", (3, 7, "", "indent and separate with spaces")
    ),
    bad(
        "yaml colon in value",
        GOOD + "env:\n  A: b: c\n",
        (4, 7, "", "put the value in quotes, or begin a new line"),
    ),
    bad("yaml unclosed single", GOOD + "state: 'auto\n", (3, 8, "", "close the quote")),
    bad("yaml unclosed double", GOOD + 'state: "auto\n', (3, 8, "", "close the quote")),
    bad("yaml unclosed list", GOOD + "env: [a\n", (3, 6, "", "add `,` or `]`")),
    bad("yaml unclosed mapping", GOOD + "env: {A: b\n", (3, 6, "", "add `,` or `}`")),
    bad("yaml bad indent", GOOD + "env:\n  A: b\n C: d\n", (5, 2, "", "indent keys alike")),
    bad(
        "yaml indent first",
        "  owner: alice\n" + IMAGE,
        (2, 1, "", "indent keys of one mapping alike"),
    ),
    bad("yaml missing colon", GOOD + "state\n", (3, 1, "", "write `key: value`")),
    bad("yaml at", GOOD + "state: @auto\n", (3, 8, "", "put it in quotes")),
    bad("yaml backtick", GOOD + "state: `auto`\n", (3, 8, "", "put it in quotes")),
    bad("yaml percent", GOOD + "state: %auto\n", (3, 8, "", "put it in quotes")),
    bad(
        "yaml bad escape", GOOD + 'state: "\\q"\n', (3, 10, "", "use single quotes, or write \\\\")
    ),
    bad(
        "yaml short hex", GOOD + 'state: "\\xz"\n', (3, 11, "", "use single quotes, or write \\\\")
    ),
    bad("yaml big escape", GOOD + 'state: "\\UFFFFFFFF"\n', (3, 11, "", "remove it")),
    bad("yaml text after quotes", GOOD + "state: 'auto' x\n", (3, 15, "", "indent keys alike")),
    bad("yaml closing brace", GOOD + "state: }\n", (3, 8, "", "write `key: value`")),
    bad(
        "yaml block header",
        GOOD + "env:\n  A: |3x\n    a\n",
        (4, 8, "", "write `|` and begin a new line"),
    ),
    bad("yaml anchor no name", GOOD + "state: & auto\n", (3, 9, "", "write &name or *name")),
    bad("yaml list in mapping", GOOD + "- x\n", (3, 1, "", "indent keys alike")),
    bad("yaml two anchors", GOOD + "env: &a &b {A: b}\n", (3, 9, "", "indent keys alike")),
    bad(
        "yaml surrogate",
        GOOD + 'env: {A: "\\ud800"}\n',
        (3, 10, "", 'write "\\U0001F600", not two "\\u"'),
    ),
    bad("yaml quoted separator", GOOD + "state: 'auto\n---\n", (3, 8, "", "close the quote")),
    bad("yaml comma", GOOD + "state: ,\n", (3, 8, "", "write `key: value`")),
    bad("yaml alias no name", GOOD + "state: *\n", (3, 9, "", "write &name or *name")),
]
