"""Bytes that are no text, characters that no file should hold."""

from tests.spec.bad.case import GOOD, IMAGE, OWNER, Case, bad

CASES: list[Case] = [
    bad("bytes latin1", b"owner: alice\nimage: caf\xe9\n", (2, 11, "", "save it as UTF-8")),
    bad("bytes cut", "owner: alice\n# 한".encode()[:-1], (2, 3, "", "save it as UTF-8")),
    bad("bytes overlong", b"owner: \xc0\x80\n", (1, 8, "", "save it as UTF-8")),
    bad("bytes surrogate", b"# ok\nowner: a\xed\xa0\x80\n", (2, 9, "", "save it as UTF-8")),
    bad(
        "bytes after wide", "# 한국\nowner: 한".encode() + b"\xff\n", (2, 9, "", "save it as UTF-8")
    ),
    bad("bytes utf16", GOOD.encode("utf-16"), (1, 1, "", "save it as UTF-8")),
    bad("bytes utf16 be", b"\xfe\xff" + GOOD.encode("utf-16-be"), (1, 1, "", "save it as UTF-8")),
    bad("bytes bom", b"\xef\xbb\xbf" + GOOD.encode(), (1, 1, "", "save it as UTF-8 without BOM")),
    bad(
        "bytes bom and more",
        b"\xef\xbb\xbfower: x\n" + IMAGE.encode(),
        (1, 1, "", "save it as UTF-8 without BOM"),
        (1, 1, "owner", "add owner: alice"),
        (1, 1, "ower", "did you mean owner?"),
    ),
    bad(
        "bytes nul",
        OWNER.encode() + b"image: a\x00b\n",
        (2, 8, "image", "write name, name:tag or host/name:tag, such as codehub/code-server:1"),
        (2, 9, "", 'remove it, or write "\\u0000" in double quotes'),
    ),
    bad(
        "bytes escape",
        GOOD.encode() + b"env: {A: \x1b[31m}\n",
        (3, 6, "", "add `,` or `}`"),
        (3, 10, "", 'remove it, or write "\\u001b" in double quotes'),
    ),
    bad(
        "bytes nel",
        GOOD.encode() + "env: {A: x\x85y}\n".encode(),
        (3, 11, "", 'remove it, or write "\\u0085" in double quotes'),
    ),
    bad(
        "bytes line separator",
        GOOD.encode() + "env: {A: x\u2028y, B: 5}\n".encode(),
        (3, 11, "", 'remove it, or write "\\u2028" in double quotes'),
        (3, 18, "env.B", 'put it in quotes: "5"'),
    ),
    bad(
        "bytes too many",
        b"#" + b"x" * 65536,
        (1, 1, "", "put long texts in a file of the workspace's home"),
    ),
    bad(
        "bytes crlf",
        GOOD.replace("\n", "\r\n").encode() + b"state: off\r\n",
        (3, 8, "state", "did you mean warm?"),
    ),
    bad(
        "bytes cr",
        GOOD.replace("\n", "\r").encode() + b"state: off\r",
        (3, 8, "state", "did you mean warm?"),
    ),
    bad(
        "bytes two controls",
        GOOD.encode() + b"env:\n  A: x\x07\n  B: \x08\n",
        (4, 7, "", 'remove it, or write "\\u0007" in double quotes'),
        (5, 6, "", 'remove it, or write "\\u0008" in double quotes'),
    ),
    bad("bytes bom latin1", b"\xef\xbb\xbfowner: \xe9\n", (1, 8, "", "save it as UTF-8")),
]
