"""What images give their containers: read once, None when gone, and no more kept than are allowed."""

import aiodocker
import pytest
from aiodocker.exceptions import DockerError

from stacks import images
from stacks.errors import EngineRefusedError
from stacks.images import Images

pytestmark = pytest.mark.engine


async def test_an_image_is_read_once_and_one_that_is_gone_is_none(
    docker: aiodocker.Docker, light_image: str
) -> None:
    found = Images()
    told = await found.read(docker, light_image)
    assert told is not None
    assert await found.read(docker, light_image) is told
    assert await found.read(docker, f"sha256:{'0' * 64}") is None


async def test_what_the_engine_refuses_is_an_error_of_ours(docker: aiodocker.Docker) -> None:
    with pytest.raises(EngineRefusedError) as caught:
        await Images().read(docker, "NO/such:image:name")
    assert isinstance(caught.value.__cause__, DockerError)


async def test_the_oldest_make_room(docker: aiodocker.Docker, light_image: str) -> None:
    found = Images()
    found._known = {f"sha256:{number:064}": {} for number in range(images.MOST)}
    await found.read(docker, light_image)
    assert len(found._known) == images.MOST
    assert light_image in found._known
