"""Bad values of owner, image and state."""

from tests.spec.bad.case import GOOD, IMAGE, OWNER, Case, bad

CASES: list[Case] = [
    bad("owner missing", IMAGE, (1, 1, "owner", "add owner: alice")),
    bad("owner null", "owner:\n" + IMAGE, (1, 1, "owner", "write owner: alice")),
    bad("owner tilde", "owner: ~\n" + IMAGE, (1, 8, "owner", "write owner: alice")),
    bad("owner number", "owner: 5\n" + IMAGE, (1, 8, "owner", 'put it in quotes: "5"')),
    bad(
        "owner float with zero",
        "owner: 1.10\n" + IMAGE,
        (1, 8, "owner", 'put it in quotes: "1.10"'),
    ),
    bad("owner bool", "owner: true\n" + IMAGE, (1, 8, "owner", 'put it in quotes: "true"')),
    bad("owner list", "owner: [alice]\n" + IMAGE, (1, 8, "owner", "write for example alice")),
    bad(
        "owner mapping",
        "owner: {name: alice}\n" + IMAGE,
        (1, 8, "owner", "write for example alice"),
    ),
    bad(
        "owner empty",
        'owner: ""\n' + IMAGE,
        (1, 8, "owner", "1 to 63 of a-z, 0-9, `.`, `_` and `-`, from a letter or digit to another"),
    ),
    bad("owner upper", "owner: Alice\n" + IMAGE, (1, 8, "owner", "did you mean alice?")),
    bad(
        "owner space", "owner: alice smith\n" + IMAGE, (1, 8, "owner", "did you mean alice-smith?")
    ),
    bad(
        "owner too long",
        "owner: " + "a" * 64 + "\n" + IMAGE,
        (1, 8, "owner", "1 to 63 of a-z, 0-9, `.`, `_` and `-`, from a letter or digit to another"),
    ),
    bad(
        "owner mail",
        "owner: alice@example.org\n" + IMAGE,
        (1, 8, "owner", "did you mean alice-example.org?"),
    ),
    bad("owner dash end", "owner: alice-\n" + IMAGE, (1, 8, "owner", "did you mean alice?")),
    bad("owner control", 'owner: "a\\tb"\n' + IMAGE, (1, 8, "owner", "did you mean a-b?")),
    bad("owner newline end", 'owner: "alice\\n"\n' + IMAGE, (1, 8, "owner", "did you mean alice?")),
    bad(
        "owner key slip",
        "ower: alice\n" + IMAGE,
        (1, 1, "owner", "add owner: alice"),
        (1, 1, "ower", "did you mean owner?"),
    ),
    bad(
        "owner as user",
        "user: alice\n" + IMAGE,
        (1, 1, "owner", "add owner: alice"),
        (1, 1, "user", "did you mean owner?"),
    ),
    bad("image missing", OWNER, (1, 1, "image", "add image: codehub/code-server")),
    bad("image null", OWNER + "image:\n", (2, 1, "image", "write image: codehub/code-server")),
    bad("image number", OWNER + "image: 5\n", (2, 8, "image", 'put it in quotes: "5"')),
    bad(
        "image list",
        OWNER + "image: [a]\n",
        (2, 8, "image", "write for example codehub/code-server"),
    ),
    bad(
        "image mapping",
        OWNER + "image:\n  name: a\n",
        (3, 3, "image", "write for example codehub/code-server"),
    ),
    bad(
        "image upper",
        OWNER + "image: Codehub/Code\n",
        (2, 8, "image", "write the name in lower case: codehub/code"),
    ),
    bad("image space", OWNER + "image: 'code hub'\n", (2, 8, "image", "remove the spaces")),
    bad(
        "image url",
        OWNER + 'image: "https://registry.example.org/a"\n',
        (2, 8, "image", "leave out `https://`"),
    ),
    bad(
        "image empty",
        OWNER + 'image: ""\n',
        (2, 8, "image", "name an image, such as codehub/code-server"),
    ),
    bad(
        "image digest short",
        OWNER + "image: a@sha256:abc\n",
        (2, 8, "image", "a digest is @sha256: and 64 of 0-9 and a-f"),
    ),
    bad(
        "image tag bad",
        OWNER + "image: a:-b\n",
        (2, 8, "image", "write name, name:tag or host/name:tag, such as codehub/code-server:1"),
    ),
    bad(
        "image too long",
        OWNER + "image: " + "a" * 256 + "\n",
        (2, 8, "image", "at most 255 characters"),
    ),
    bad(
        "image id",
        OWNER + "image: " + "a" * 64 + "\n",
        (2, 8, "image", "name the image: name@sha256:..."),
    ),
    bad(
        "image option",
        OWNER + "image: --privileged\n",
        (2, 8, "image", "write name, name:tag or host/name:tag, such as codehub/code-server:1"),
    ),
    bad(
        "image double slash",
        OWNER + "image: a//b\n",
        (2, 8, "image", "write name, name:tag or host/name:tag, such as codehub/code-server:1"),
    ),
    bad(
        "image trailing newline",
        OWNER + "image: |\n  codehub/code-server\n",
        (2, 8, "image", "remove the spaces"),
    ),
    bad(
        "image key slip",
        OWNER + "imag: a\n",
        (1, 1, "image", "add image: codehub/code-server"),
        (2, 1, "imag", "did you mean image?"),
    ),
    bad(
        "image in the tag upper host",
        OWNER + "image: Alice/ide\n",
        (2, 8, "image", "write the name in lower case: alice/ide"),
    ),
    bad("state null", GOOD + "state:\n", (3, 1, "state", "give it one, or remove `state`")),
    bad("state cold", GOOD + "state: cold\n", (3, 8, "state", "one of auto, running, warm")),
    bad("state stopped", GOOD + "state: stopped\n", (3, 8, "state", "did you mean warm?")),
    bad("state upper", GOOD + "state: Running\n", (3, 8, "state", "did you mean running?")),
    bad("state typo", GOOD + "state: runing\n", (3, 8, "state", "did you mean running?")),
    bad("state on", GOOD + "state: on\n", (3, 8, "state", "did you mean running?")),
    bad("state true", GOOD + "state: true\n", (3, 8, "state", "did you mean running?")),
    bad("state false", GOOD + "state: false\n", (3, 8, "state", "did you mean warm?")),
    bad("state number", GOOD + "state: 1\n", (3, 8, "state", "one of auto, running, warm")),
    bad("state list", GOOD + "state: [auto]\n", (3, 8, "state", "write for example auto")),
    bad("state other", GOOD + "state: hibernated\n", (3, 8, "state", "one of auto, running, warm")),
    bad("state yes", GOOD + "state: yes\n", (3, 8, "state", "did you mean running?")),
    bad("state key slip", GOOD + "sate: auto\n", (3, 1, "sate", "did you mean state?")),
    bad("state empty", GOOD + "state: ''\n", (3, 8, "state", "one of auto, running, warm")),
]
