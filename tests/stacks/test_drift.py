"""Comparing a container with what its program makes: every field, and what the engine fills in."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from stacks import drift, observed
from stacks.drift import Difference
from stacks.programs import shape
from stacks.programs.inputs import HomeInputs, WorkspaceInputs

Data = dict[str, Any]

INPUTS = WorkspaceInputs(
    id="ws",
    owner="alice",
    name_prefix="x-",
    image="light:1",
    cpu=0.5,
    memory=4 << 30,
    pids=128,
    env={"TZ": "UTC", "PATH": "/mine"},
    spec_hash="h1",
    home=HomeInputs(number=2, owner="alice", workspace="old"),
    run_folder="/run/x/ws",
    network="x-net",
    tree="t1",
)
IMAGE: Data = {
    "Config": {
        "Env": ["PATH=/bin", "LANG=C"],
        "Labels": {"made": "by us"},
        "Cmd": ["serve", "--now"],
        "Entrypoint": None,
        "WorkingDir": "/srv",
        "Volumes": {"/data": {}},
    }
}
INSPECTED: Data = {
    "Config": {
        "Image": "light:1",
        "User": "1000:1000",
        "Env": ["PATH=/mine", "LANG=C", "TZ=UTC", "CODEHUB_ID=ws"],
        "Labels": {"made": "by us", **shape.labels(INPUTS)},
        "Cmd": ["serve", "--now"],
        "Entrypoint": None,
        "WorkingDir": "/srv",
    },
    "HostConfig": {
        "Memory": 4 << 30,
        "MemorySwap": 4 << 30,
        "NanoCpus": 500_000_001,
        "PidsLimit": 128,
        "RestartPolicy": {"Name": "unless-stopped", "MaximumRetryCount": 0},
        "CapDrop": ["CAP_ALL"],
        "CapAdd": None,
        "SecurityOpt": ["no-new-privileges:true"],
        "LogConfig": {"Type": "json-file", "Config": {"max-size": "10m", "max-file": "3"}},
        "IpcMode": "private",
        "PortBindings": None,
        "Devices": [],
    },
    "NetworkSettings": {"Networks": {"x-net": {}}},
    "Mounts": [
        {
            "Type": "volume",
            "Name": "x-old-home-2",
            "Source": "/var/lib/docker/volumes/x",
            "Destination": "/home/coder",
            "RW": True,
        },
        {"Type": "bind", "Source": "/run/x/ws", "Destination": "/run/codehub", "RW": True},
        {"Type": "volume", "Name": "a" * 64, "Destination": "/data", "RW": True},
    ],
}


def test_a_volume_written_with_a_slash_is_where_the_engine_puts_it() -> None:
    config: Data = {**IMAGE["Config"], "Volumes": {"/data/": {}}}
    seen = observed.inspected(INSPECTED, {"Config": config})
    assert drift.compare(INPUTS, seen) == ()


def changed(change: Callable[[Data], None]) -> Data:
    data = copy.deepcopy(INSPECTED)
    change(data)
    return data


def compared(data: Data, image: Data | None = IMAGE) -> str:
    return drift.words(drift.compare(INPUTS, observed.inspected(data, image)))


def host(**values: Any) -> Callable[[Data], None]:
    return lambda data: data["HostConfig"].update(values)


def config(**values: Any) -> Callable[[Data], None]:
    return lambda data: data["Config"].update(values)


def env(*entries: str) -> Callable[[Data], None]:
    return lambda data: data["Config"].update(Env=list(entries))


def label(name: str, value: str | None) -> Callable[[Data], None]:
    def change(data: Data) -> None:
        data["Config"]["Labels"].pop(name, None)
        if value is not None:
            data["Config"]["Labels"][name] = value

    return change


def mounted(number: int, **values: Any) -> Callable[[Data], None]:
    return lambda data: data["Mounts"][number].update(values)


def networks(*names: str) -> Callable[[Data], None]:
    return lambda data: data["NetworkSettings"].update(Networks={name: {} for name in names})


def test_what_was_made_does_not_differ() -> None:
    assert compared(INSPECTED) == ""
    assert compared(INSPECTED, None) == ""


ENV = ("PATH=/mine", "LANG=C", "TZ=UTC", "CODEHUB_ID=ws")


EACH: list[tuple[Callable[[Data], None], str]] = [
        (host(Memory=8 << 30), "memory 4Gi → 8Gi"),
        (host(Memory=0), "memory 4Gi → unlimited"),
        (host(MemorySwap=-1), "memory and swap 4Gi → unlimited"),
        (host(NanoCpus=2_000_000_000), "cpu 0.5 → 2"),
        (host(NanoCpus=0, CpuQuota=5), "cpu 0.5 → unlimited, cpu quota none → 5"),
        (host(CpuShares=5), "cpu shares none → 5"),
        (host(CpusetCpus="0"), "cpus none → 0"),
        (host(PidsLimit=None), "pids 128 → unlimited"),
        (host(PidsLimit=-1), "pids 128 → unlimited"),
        (host(RestartPolicy=None), "restart unless-stopped → no"),
        (host(Privileged=True), "privileged no → yes"),
        (host(CapDrop=None), "capabilities dropped ALL → none"),
        (host(CapAdd=["NET_ADMIN"]), "capabilities added none → NET_ADMIN"),
        (host(SecurityOpt=[]), "security options no-new-privileges:true → none"),
        (host(PidMode="host", IpcMode="host"), "shares with the host none → ipc, pid"),
        (host(Devices=[{"PathOnHost": "/dev/kvm"}]), "devices none → /dev/kvm"),
        (host(PortBindings={"80/tcp": []}), "ports none → 80/tcp"),
        (host(AutoRemove=True), "removes itself no → yes"),
        (
            host(LogConfig={"Type": "none"}),
            "logs json-file → none",
        ),
        (config(Image="other:1"), "image light:1 → other:1"),
        (config(User=""), "user 1000:1000 → none"),
        (config(WorkingDir=""), "working folder /srv → none"),
        (config(Cmd=["--key", "s3cr3t"]), "command set → another value"),
        (config(Entrypoint=["/x"]), "entrypoint set → another value"),
        (networks(), "network x-net → none"),
        (networks("x-net", "bridge"), "network x-net → bridge, x-net"),
        (mounted(0, Name="x-old-home-1"), "mount./home/coder volume x-old-home-2 → volume x-old-home-1"),
        (mounted(1, RW=False), "mount./run/codehub bind /run/x/ws → bind /run/x/ws, read-only"),
        (mounted(2, Destination="/etc", Name="x"), "mount./data a volume of its own → none, mount./etc none → volume x"),
        (env(*ENV[:2], "TZ=s3cr3t", ENV[3]), "env.TZ set → another value"),
        (env(*ENV[:3]), "env.CODEHUB_ID set → not set"),
        (env(*ENV, "NEW=s3cr3t"), "env.NEW not set → set"),
        (env(ENV[0], *ENV[2:]), "env.LANG set → not set"),
        (env("PATH=/bin", *ENV[1:]), "env.PATH set → another value"),
        (label("codehub.owner", "bob"), "label.codehub.owner alice → bob"),
        (label("codehub.tree", None), "label.codehub.tree t1 → none"),
        (label("new", "s3cr3t"), "label.new not set → set"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "told"), EACH)
def test_each_field_is_compared(change: Callable[[Data], None], told: str) -> None:
    assert compared(changed(change)) == told


def test_every_wanted_field_is_in_the_table_above() -> None:
    told = ", ".join(told for _, told in EACH)
    fields = drift.wanted(INPUTS, observed.inspected(INSPECTED, IMAGE).image)
    assert [key for key in fields if not key.startswith("label.") and f"{key} " not in told] == []


def test_an_image_that_is_gone_excuses_what_it_may_have_given() -> None:
    assert compared(changed(env(*ENV, "NEW=x")), None) == ""
    assert compared(changed(config(Cmd=["x"], WorkingDir="/")), None) == ""
    assert compared(changed(env(*ENV[:2], "TZ=x", ENV[3])), None) == "env.TZ set → another value"
    more = {"Type": "bind", "Source": "/", "Destination": "/host", "RW": True}
    spied = changed(lambda data: data["Mounts"].append(more))
    assert compared(spied, None) == "mount./host none → bind /"


def test_the_list_shows_labels_and_networks_only() -> None:
    entry: Data = {"Labels": {**shape.labels(INPUTS), "codehub.image-key": "x", "made": "x"}}
    attached: Data = {"NetworkSettings": {"Networks": {"x-net": {}}}}
    assert drift.compare(INPUTS, observed.listed(entry | attached)) == ()
    entry["Labels"]["codehub.owner"] = "bob"
    found = drift.compare(INPUTS, observed.listed(entry))
    assert drift.words(found) == "network x-net → none, label.codehub.owner alice → bob"
    assert all(drift.is_listed(each.field) for each in found)


def test_odd_and_long_values_and_many_differences_are_cut() -> None:
    found = drift.compare(INPUTS, observed.inspected(changed(config(Image="x" * 99)), IMAGE))
    assert found[0].found == f"{'x' * 59}…"
    found = drift.compare(INPUTS, observed.inspected(changed(config(Image="x\x1b]0;\ny")), IMAGE))
    assert found[0].found == "x?]0; y"
    many = [Difference(field=str(number), wanted="a", found="b") for number in range(8)]
    assert drift.words(many).endswith("5 a → b and 2 more")


def test_the_name_of_a_label_steers_no_terminal() -> None:
    assert str(Difference(field="label.a\x1b[2J", wanted="1", found="2")) == "label.a?[2J 1 → 2"


def test_what_is_known_to_stay_is_marked() -> None:
    one = Difference(field="cpu", wanted="1", found="2")
    stays = Difference(field="cpu", wanted="1", found="2", stays=True)
    assert drift.standing([one], [stays]) == (stays,)
    assert drift.standing([one], [one]) == (one,)
    assert drift.read(drift.plain([one, stays])) == (one, stays)
