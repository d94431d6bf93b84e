"""One CodeHub with alice, bob and a code-server workspace, and one browser."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.hub import PASSWORD, Hub, hub

WORKSPACE = "alice-demo"
FILE = """\
owner: alice
image: codehub/code-server
resources: {cpu: 2, memory: 4Gi}
env: {GREETING: hello from the file}
"""
# The machine's network is closed: without these the browser tries to reach its maker's hosts.
CHROMIUM_ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PAGE_MILLISECONDS = 30_000


@pytest.fixture(scope="module")
def served() -> Iterator[Hub]:
    """Runner and gateway run; alice's workspace is being made."""
    with hub() as made:
        made.write(WORKSPACE, FILE)
        made.add_user("alice", "--admin")
        made.add_user("bob")
        made.start("run")
        made.start("gateway")
        made.wait_until_serving()
        yield made


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium.

    Ended with its module: while it lives, its event loop counts as running in this thread, and
    async tests elsewhere could not run theirs.
    """
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=CHROMIUM_ARGS
        )
        yield browser
        browser.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A browser profile of its own: no cookies."""
    with browser.new_context(viewport={"width": 1280, "height": 800}) as context:
        context.set_default_timeout(PAGE_MILLISECONDS)
        yield context


def log_in(context: BrowserContext, served: Hub, name: str) -> Page:
    """Log in through the page and return the portal."""
    page = context.new_page()
    page.goto(f"{served.url}/login")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("button", name="Log out").wait_for()
    return page
