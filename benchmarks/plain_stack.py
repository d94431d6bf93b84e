"""The floor of a fleet's first `up`: one plain Pulumi stack, as its documentation shows it.

python -m benchmarks.plain_stack COUNT FOLDER PREFIX up|destroy
"""

import sys
from pathlib import Path

import pulumi_docker as docker
from pulumi import automation as auto

from benchmarks.fleet import HOME, LIGHT_IMAGE, RUN_FOLDER
from settings.load import load
from settings.model import RunnerSettings


def declare(count: int, folder: Path, prefix: str) -> None:
    """Declare network, volumes and containers as a workspace's program does."""
    network = docker.Network("network", name=f"{prefix}net", driver="bridge")
    for number in range(count):
        name = f"{prefix}{number:03d}"
        volume = docker.Volume(f"home-{number}", name=f"{name}-home")
        run = folder / "run" / str(number)
        run.mkdir(parents=True, exist_ok=True)
        run.chmod(0o777)
        docker.Container(
            f"container-{number}",
            name=name,
            image=LIGHT_IMAGE,
            user="1000:1000",
            memory=256,
            memory_swap=256,
            cpus="1",
            restart="unless-stopped",
            capabilities=docker.ContainerCapabilitiesArgs(drops=["ALL"]),
            security_opts=["no-new-privileges"],
            networks_advanced=[docker.ContainerNetworksAdvancedArgs(name=network.name)],
            volumes=[
                docker.ContainerVolumeArgs(volume_name=volume.name, container_path=HOME),
                docker.ContainerVolumeArgs(host_path=str(run), container_path=RUN_FOLDER),
            ],
        )


def main() -> None:
    """Bring the stack up, or remove it."""
    count, folder, prefix, action = int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], sys.argv[4]
    settings = load(RunnerSettings)
    stack = auto.create_or_select_stack(
        stack_name="plain",
        project_name="plain",
        program=lambda: declare(count, folder, prefix),
        opts=auto.LocalWorkspaceOptions(
            work_dir=str(folder),
            pulumi_home=str(settings.pulumi_home),
            pulumi_command=auto.PulumiCommand(str(settings.pulumi.parent.parent)),
            env_vars={
                "PULUMI_BACKEND_URL": folder.as_uri(),
                "PULUMI_CONFIG_PASSPHRASE": "bench",
                "PULUMI_SKIP_UPDATE_CHECK": "1",
            },
        ),
    )
    if action == "up":
        stack.up()
    else:
        stack.destroy()


if __name__ == "__main__":
    main()
