"""Bad `_policies.yaml` files."""

from tests.spec.bad.case import Case, Told, bad

SETTABLE = "image-allowed, owner-listed, quota-owner, quota-team"
EXEMPTION = (
    "{rule: image-allowed, workspaces: [alice-gpu], reason: until the registry has the GPU image, "
    "until: 2030-12-31}"
)
GOOD = {
    "rule": "quota-owner",
    "workspaces": "[aa]",
    "reason": "why",
    "until": "2030-12-31",
}


def one(name: str, content: str, *told: Told) -> Case:
    return bad(f"policies: {name}", content, *told, file="_policies.yaml")


def rules(name: str, content: str, *told: Told) -> Case:
    """Rules, from line 2 and column 3 on."""
    return one(name, f"rules:\n  {content}\n", *told)


def exemption(name: str, changed: dict[str, str], *told: Told) -> Case:
    """An exemption: rule in line 2, workspaces in 3, reason in 4, until in 5, the rest after."""
    keys = {**GOOD, **changed}
    lines = [f"{key}: {value}" for key, value in keys.items() if value != "-"]
    return one(f"exemption: {name}", "exemptions:\n  - " + "\n    ".join(lines) + "\n", *told)


def window(name: str, changed: dict[str, str], *told: Told) -> Case:
    """A window: kind in line 2, zone in 3, the rest after."""
    keys = {"kind": "allow", "zone": "UTC", **changed}
    lines = [f"{key}: {value}" for key, value in keys.items() if value != "-"]
    return one(f"window: {name}", "windows:\n  - " + "\n    ".join(lines) + "\n", *told)


PLACE = "write a place, such as Europe/Berlin, or UTC"
CLOCK = 'write hours and minutes of 24 hours: "22:00"'
WINDOWS: list[Case] = [
    window("kind", {"kind": "alow"}, (2, 11, "windows.0.kind", "did you mean allow?")),
    window("no zone", {"zone": "-"}, (2, 5, "windows.0.zone", "add zone: Europe/Berlin")),
    window("short zone", {"zone": "EST"}, (3, 11, "windows.0.zone", PLACE)),
    window(
        "slip in the zone",
        {"zone": "Europe/Berlyn"},
        (3, 11, "windows.0.zone", "did you mean Europe/Berlin?"),
    ),
    window(
        "folder of zones",
        {"zone": "America/Argentina"},
        (3, 11, "windows.0.zone", "did you mean America/Argentina/Salta?"),
    ),
    window("far zone", {"zone": "Moon/Base"}, (3, 11, "windows.0.zone", PLACE)),
    window("zone elsewhere", {"zone": "../Europe/Berlin"}, (3, 11, "windows.0.zone", PLACE)),
    window("long day", {"days": "[Monday]"}, (4, 12, "windows.0.days.0", "write mon")),
    window(
        "no such day",
        {"days": "[xyz]"},
        (4, 12, "windows.0.days.0", "one of mon, tue, wed, thu, fri, sat, sun"),
    ),
    window(
        "no days",
        {"days": "[]"},
        (4, 11, "windows.0.days", "name days, or remove it: mon, tue, wed, thu, fri, sat, sun"),
    ),
    window("hour alone", {"from": '"9"'}, (4, 11, "windows.0.from", 'write "09:00"')),
    window("one digit", {"from": "9:30"}, (4, 11, "windows.0.from", 'write "09:30"')),
    window("seconds", {"to": '"10:00:00"'}, (4, 9, "windows.0.to", 'write "10:00"')),
    window("begin at 24", {"from": "24:00"}, (4, 11, "windows.0.from", CLOCK)),
    window("afternoon", {"to": "5pm"}, (4, 9, "windows.0.to", CLOCK)),
    window("number", {"to": "17"}, (4, 9, "windows.0.to", 'put it in quotes: "17"')),
    window(
        "pattern",
        {"workspaces": "[Class-*]"},
        (4, 18, "windows.0.workspaces.0", "write an id, with * for anything: class-*"),
    ),
    window(
        "no workspaces",
        {"workspaces": "[]"},
        (4, 17, "windows.0.workspaces", "name at least one workspace, or remove it for all"),
    ),
    window(
        "no reason",
        {"reason": '""'},
        (4, 13, "windows.0.reason", "say why, for whoever reads it later"),
    ),
    window(
        "cron",
        {"schedule": "0 22 * * *"},
        (4, 5, "windows.0.schedule", "the keys are kind, days, from, to, zone, workspaces, reason"),
    ),
]

CASES: list[Case] = [
    *WINDOWS,
    one("empty", "", (1, 1, "", "write rules: {}, or remove the file")),
    one("unknown", "rule: {}\n", (1, 1, "rule", "did you mean rules?")),
    one("slip", "exceptions: []\n", (1, 1, "exceptions", "did you mean exemptions?")),
    one("far", "zzz: 1\n", (1, 1, "zzz", "the keys are rules, quotas, exemptions, windows")),
    one(
        "rules null",
        "rules:\n",
        (1, 1, "rules", "give it one, or remove `rules`"),
    ),
    one(
        "rules list",
        "rules: []\n",
        (1, 8, "rules", "write rules: {image-allowed: {images: [codehub/*]}}"),
    ),
    rules("unknown rule", "quota-ownr: {}", (2, 3, "rules.quota-ownr", "did you mean quota-owner?")),
    rules("slip rule", "images: {}", (2, 3, "rules.images", "did you mean image-allowed?")),
    rules("far rule", "zzz: {}", (2, 3, "rules.zzz", f"the keys are {SETTABLE}")),
    rules("a rule that always holds", "no-privilege: {}", (2, 3, "rules.no-privilege", "remove it")),
    rules(
        "another that always holds", "edit-allowed: {}", (2, 3, "rules.edit-allowed", "remove it")
    ),
    rules(
        "rule text",
        "quota-team: off",
        (2, 15, "rules.quota-team", "write quota-team: {level: off}"),
    ),
    rules("level", "quota-team: {level: of}", (2, 23, "rules.quota-team.level", "did you mean off?")),
    rules(
        "far level",
        "quota-team: {level: zzz}",
        (2, 23, "rules.quota-team.level", "one of mandatory, advisory, off"),
    ),
    rules(
        "level number",
        "quota-team: {level: 5}",
        (2, 23, "rules.quota-team.level", 'put it in quotes: "5"'),
    ),
    rules(
        "key of a rule",
        "quota-team: {levels: off}",
        (2, 16, "rules.quota-team.levels", "did you mean level?"),
    ),
    rules(
        "no images",
        "image-allowed: {}",
        (2, 18, "rules.image-allowed.images",
         "add images: [codehub/*, registry.example.org/team/ide:1.*]"),
    ),
    rules(
        "images empty",
        "image-allowed: {images: []}",
        (2, 27, "rules.image-allowed.images", "name one, or remove the rule"),
    ),
    rules(
        "images text",
        "image-allowed: {images: codehub/*}",
        (2, 27, "rules.image-allowed.images",
         "write images: [codehub/*, registry.example.org/team/ide:1.*]"),
    ),
    rules(
        "a pattern with a space",
        'image-allowed: {images: [a, "b c"]}',
        (2, 31, "rules.image-allowed.images.1",
         "write name, name:tag or name@sha256:..., with * for anything between two /"),
    ),
    rules(
        "a pattern that is a number",
        "image-allowed: {images: [5]}",
        (2, 28, "rules.image-allowed.images.0", 'put it in quotes: "5"'),
    ),
    rules(
        "a long pattern",
        f"image-allowed: {{images: [{'a' * 256}]}}",
        (2, 28, "rules.image-allowed.images.0", "at most 255 characters"),
    ),
    one(
        "quotas of whom",
        "quotas: {people: {}}\n",
        (1, 10, "quotas.people", "the keys are owner, team"),
    ),
    one(
        "default quota",
        "quotas: {owner: {cpu: x}, team: {memory: 5}}\n",
        (1, 23, "quotas.owner.cpu", "write for example 8 or 0.5"),
        (1, 42, "quotas.team.memory", "add a unit: 5Gi"),
    ),
    one(
        "exemptions mapping",
        "exemptions: {}\n",
        (1, 13, "exemptions",
         f"write exemptions: [{EXEMPTION}]"),
    ),
    one(
        "exemption text",
        "exemptions: [quota-owner]\n",
        (1, 14, "exemptions.0",
         f"write 0: {EXEMPTION}"),
    ),
    exemption("no rule", {"rule": "-"}, (2, 5, "exemptions.0.rule", "add rule: image-allowed")),
    exemption(
        "no workspaces",
        {"workspaces": "-"},
        (2, 5, "exemptions.0.workspaces", "add workspaces: [alice-gpu]"),
    ),
    exemption(
        "no reason",
        {"reason": "-"},
        (2, 5, "exemptions.0.reason", "add reason: until the registry has the GPU image"),
    ),
    exemption("no end", {"until": "-"}, (2, 5, "exemptions.0.until", "add until: 2030-12-31")),
    exemption("unknown rule", {"rule": "zzz"}, (2, 11, "exemptions.0.rule", f"one of {SETTABLE}")),
    exemption(
        "a rule without exemptions",
        {"rule": "no-privilege"},
        (2, 11, "exemptions.0.rule", f"one of {SETTABLE}"),
    ),
    exemption(
        "no id",
        {"workspaces": "[aa, Bob]"},
        (3, 22, "exemptions.0.workspaces.1", "rename it, for example to bob"),
    ),
    exemption(
        "workspaces empty",
        {"workspaces": "[]"},
        (3, 17, "exemptions.0.workspaces", "name at least one workspace"),
    ),
    exemption(
        "reason empty",
        {"reason": '" "'},
        (4, 13, "exemptions.0.reason", "say why, for whoever reads it later"),
    ),
    exemption(
        "reason long",
        {"reason": "x" * 501},
        (4, 13, "exemptions.0.reason", "at most 500 characters"),
    ),
    exemption(
        "reason of two lines",
        {"reason": '"a\\nb"'},
        (4, 13, "exemptions.0.reason", "write it on one line"),
    ),
    exemption(
        "no such day",
        {"until": "2030-02-30"},
        (5, 12, "exemptions.0.until", "write year-month-day: 2030-12-31"),
    ),
    exemption(
        "another way to write a day",
        {"until": "31.12.2030"},
        (5, 12, "exemptions.0.until", "write year-month-day: 2030-12-31"),
    ),
    exemption(
        "a year",
        {"until": "2030"},
        (5, 12, "exemptions.0.until", 'put it in quotes: "2030"'),
    ),
    exemption(
        "key of an exemption",
        {"expires": "2030-01-01"},
        (6, 5, "exemptions.0.expires", "did you mean until?"),
    ),
]  # fmt: skip
