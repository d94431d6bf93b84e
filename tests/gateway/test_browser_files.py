"""Making, changing and deleting a workspace in a real browser: one life, with a conflict in it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Dialog, Page, expect

from state_index.models import RunnerInfo
from state_index.phases import Phase
from tests.gateway.fake_runner import FakeRunner, fake_runner
from tests.gateway.harness import Running, serving
from tests.gateway.test_browser import logged_in

pytestmark = pytest.mark.browser

PHONE = {"viewport": {"width": 360, "height": 740}, "color_scheme": "dark"}
WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[Running]:
    async with serving(tmp_path) as running:
        running.index.announce(RunnerInfo(address="unix:runner.sock", pid=1, version="0.1"))
        yield running


@pytest.fixture(autouse=True)
async def runner(hub: Running) -> AsyncIterator[FakeRunner]:
    async with fake_runner(hub.settings.paths.runner_sock) as fake:
        fake.templates["small"] = "# from the template\nowner: someone\nimage: codehub/light\n"
        yield fake


async def made(page: Page, hub: Running, runner: FakeRunner) -> str:
    """Make what was asked for, as the runner would; return the text."""
    await page.wait_for_url("**/edits/*")
    (edit,) = hub.index.edits.take()
    await expect(page.locator("#operation")).to_have_attribute("data-status", "taken")
    runner.make(edit)
    hub.index.edits.finish(edit.id, commit="c0ffee1234567890")
    await expect(page.get_by_text("Committed c0ffee1234")).to_be_visible()
    return edit.text or ""


async def make_one(page: Page, hub: Running, runner: FakeRunner) -> str:
    """From a template by the form, with something wrong on the way; return the text."""
    await page.get_by_role("link", name="New workspace").click()
    await page.get_by_label("Begin with").select_option("small")
    await page.get_by_role("button", name="Use this template").click()
    await page.get_by_label("Id").fill("alice-b")
    await page.get_by_label("CPU cores").fill("many")
    await expect(page.locator("#check")).to_contain_text("resources.cpu")
    await page.get_by_label("CPU cores").fill("0.5")
    await expect(page.locator("#check")).to_have_text("The file is right.")
    await page.get_by_label("Name of variable 1").fill("TZ")
    await page.get_by_label("Value of variable 1").fill("Asia/Seoul")
    await page.get_by_role("button", name="Make the workspace").click()
    text = await made(page, hub, runner)
    hub.publish("alice-b", Phase.RUNNING)
    await expect(page.locator("#live")).to_have_text("Running")
    await expect(page.locator("#applied")).to_contain_text("up to date now")
    hub.index.repository.tell(applied="c0ffee1234567890")
    await expect(page.locator("#applied")).to_contain_text("It is applied")
    return text


async def change_one(page: Page, text: str) -> None:
    """As text, from the card on, with something wrong on the way; up to the button."""
    await page.get_by_role("link", name="All workspaces").click()
    await page.get_by_role("link", name="Edit alice-b").click()
    await page.get_by_role("button", name="YAML").click()
    await expect(page.locator("#gutter")).to_have_text("1\n2\n3\n4\n5\n6\n7\n8")
    file = page.get_by_label("The file", exact=True)
    await file.fill(f"{text}state: [")
    await expect(page.locator("#check li")).to_be_visible()
    await file.fill(text)
    await expect(page.locator("#check")).to_have_text("The file is right.")


async def put_together(page: Page) -> None:
    """Choose what holds both changes, and save it."""
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("heading", name="alice-b changed meanwhile")).to_be_visible()
    theirs = ["-image: codehub/light", "-  cpu: 2"]
    await expect(page.locator(".compare .del")).to_have_text(theirs)
    await page.get_by_role("button", name="Put both together").click()
    await page.get_by_role("button", name="Save").click()


async def delete_one(page: Page, hub: Running) -> None:
    """From the page of its file, by its typed id."""
    await page.goto(f"{hub.url}/workspaces/alice-b/edit")
    await page.get_by_role("link", name="Delete the workspace").click()
    await page.get_by_label("Type alice-b to confirm").fill("alice-b")
    await page.keyboard.press("Enter")


async def test_a_workspace_is_made_changed_and_deleted(
    chromium: Browser, hub: Running, runner: FakeRunner
) -> None:
    async with logged_in(chromium, hub) as page:
        text = await make_one(page, hub, runner)
        assert text == (
            "# from the template\nowner: alice\nimage: codehub/light\n"
            "resources:\n  cpu: 0.5\nenv:\n  TZ: Asia/Seoul\n"
        )
        await change_one(page, text.replace("light", "heavy"))
        theirs = text.replace("0.5", "2")
        runner.add_file("alice-b", theirs)
        await put_together(page)
        assert await made(page, hub, runner) == theirs.replace("light", "heavy")
        await delete_one(page, hub)
        await made(page, hub, runner)
        assert runner.files == {}


async def test_the_pages_fit_a_phone_and_warn_of_what_is_not_saved(
    chromium: Browser, hub: Running, runner: FakeRunner
) -> None:
    hub.publish("alice-b", Phase.WARM)
    long = "x" * 120
    runner.add_file("alice-b", f"owner: alice\nimage: codehub/light\nenv: {{A: {long}}}\n")
    async with logged_in(chromium, hub, **PHONE) as page:
        for path in ("new", "alice-b/edit", "alice-b/edit?tab=text", "alice-b/delete"):
            await page.goto(f"{hub.url}/workspaces/{path}")
            assert await page.evaluate(WIDER) <= 0, path
        await page.goto(f"{hub.url}/workspaces/alice-b/edit")
        await page.get_by_role("button", name="Remove variable 1").click()
        await page.get_by_role("button", name="Add a variable").click()
        await expect(page.locator(":focus")).to_have_attribute("name", "env_name")
        asked: list[str] = []

        async def leave(dialog: Dialog) -> None:
            asked.append(dialog.type)
            await dialog.accept()

        page.on("dialog", leave)
        await page.get_by_role("link", name="Cancel").click()
        await page.wait_for_url("**/workspaces/alice-b")
        assert asked == ["beforeunload"]
