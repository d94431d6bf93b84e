"""What people do, in a real browser with a real editor: the main job from end to end."""

import re

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, WebSocket, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeoutError
from websockets.exceptions import InvalidStatus

from tests.e2e.conftest import WORKSPACE, log_in
from tests.hub import Hub, NotReadyError, docker, wait_for

pytestmark = [pytest.mark.browser, pytest.mark.engine, pytest.mark.timeout(180)]


def wait_for_phase(page: Page, phase: str) -> None:
    found = page.locator(f"[data-workspace={WORKSPACE}][data-phase={phase}]")
    expect(found).to_be_visible(timeout=90_000)


def open_workspace(page: Page, served: Hub) -> None:
    wait_for_phase(page, "RUNNING")
    page.get_by_role("link", name=re.compile("^Open")).click()
    page.wait_for_url(f"{served.url}/w/{WORKSPACE}/**")
    page.locator(".monaco-workbench").wait_for()
    # The status bar comes last: by then commands and keys work.
    page.locator(".part.statusbar").wait_for()


def pick(page: Page, key: str, text: str, option: str) -> None:
    """Open the quick input by a key, type into it and choose an option."""
    found = page.get_by_role("option", name=re.compile(re.escape(option))).first
    try:
        wait_for(lambda: offers(page, key, text, found), f"{option} in the quick input of {key}")
    except NotReadyError as error:
        raise NotReadyError(f"{error}; shown: {shown(page)}") from None
    found.click()


def offers(page: Page, key: str, text: str, found: Locator) -> bool:
    """Ask for an option as a person does: again when nothing opens, or it is not among the answers.

    The workbench draws before it listens, and a key that it takes late empties the box again. What
    a box offers is settled when it opens: opened too early, it lacks the commands of terminals.
    """
    box = page.locator(".quick-input-widget input[type=text]")
    try:
        if not box.is_visible():
            page.keyboard.press(key)
            box.wait_for(timeout=1000)
        box.fill(text)
        found.wait_for(timeout=2000)
    except PlaywrightTimeoutError:
        page.keyboard.press("Escape")
        return False
    return True


def shown(page: Page) -> str:
    """Return what the page says and where its keys go: why it offered nothing."""
    focus = page.evaluate("document.activeElement?.outerHTML?.slice(0, 200)")
    return f"{page.locator('body').inner_text()!r}, focus on {focus!r}"


def run_command(page: Page, command: str) -> None:
    """Type into the editor's terminal, opening it by the command palette."""
    pick(page, "F1", ">Terminal: Create New Terminal", "Create New Terminal")
    terminal = page.locator(".terminal-wrapper").first
    # Typed before the shell asks, keys would be lost.
    page.locator(".terminal-command-decoration").first.wait_for(state="attached")
    terminal.locator("textarea.xterm-helper-textarea").focus()
    page.keyboard.type(command)
    page.keyboard.press("Enter")


def edit_file(page: Page, name: str, text: str) -> None:
    """Open a file by quick open, type at its beginning and save."""
    pick(page, "Control+p", name, name)
    page.get_by_role("tab", name=re.compile(re.escape(name))).wait_for()
    page.locator(".editor-instance .monaco-editor.focused").wait_for()
    page.keyboard.type(text)
    page.keyboard.press("Control+s")


def cookies(context: BrowserContext) -> str:
    return "; ".join(f"{c.get('name')}={c.get('value')}" for c in context.cookies())


def tunnel_status(served: Hub, cookie: str) -> int:
    """Return what a WebSocket handshake to the workspace is answered with."""
    try:
        with served.tunnel(WORKSPACE, "", cookie=cookie):
            return 101
    except InvalidStatus as refused:
        return refused.response.status_code


def test_alice_edits_a_file_and_runs_a_command(served: Hub, context: BrowserContext) -> None:
    page = log_in(context, served, "alice")
    open_workspace(page, served)

    run_command(page, 'echo "$GREETING" > greeting.txt; touch notes.txt')
    greeting = served.home(WORKSPACE) / "greeting.txt"
    wait_for(lambda: greeting.exists() and greeting.read_text(), "the terminal's file")
    assert greeting.read_text() == "hello from the file\n"

    edit_file(page, "notes.txt", "written in the editor")
    notes = served.home(WORKSPACE) / "notes.txt"
    wait_for(lambda: notes.exists() and "written" in notes.read_text(), "the editor's file")
    assert notes.read_text().strip() == "written in the editor"
    assert notes.stat().st_uid == 1000


def test_bob_is_refused_on_page_api_and_websocket(served: Hub, context: BrowserContext) -> None:
    page = log_in(context, served, "bob")
    answer = page.goto(f"{served.url}/w/{WORKSPACE}/")
    assert answer is not None
    assert answer.status == 403
    expect(page.locator("body")).not_to_contain_text("monaco")

    assert context.request.get(f"{served.url}/api/v1/workspaces/{WORKSPACE}").status == 403
    stop = context.request.post(
        f"{served.url}/api/v1/workspaces/{WORKSPACE}/stop", headers={"Origin": served.url}
    )
    assert stop.status == 403
    assert stop.json()["error"]["code"] == "FORBIDDEN"

    assert tunnel_status(served, cookies(context)) == 403


def test_stop_and_start_keep_the_file(served: Hub, context: BrowserContext) -> None:
    page = log_in(context, served, "alice")
    wait_for_phase(page, "RUNNING")
    kept = served.home(WORKSPACE) / "kept.txt"
    docker("exec", served.container(WORKSPACE), "sh", "-c", "echo mine > /home/coder/kept.txt")

    page.get_by_role("button", name=re.compile("^Stop")).click()
    wait_for_phase(page, "WARM")
    assert docker("inspect", "-f", "{{.State.Running}}", served.container(WORKSPACE)) == "false"

    page.get_by_role("button", name=re.compile("^Start")).click()
    wait_for_phase(page, "RUNNING")
    assert kept.read_text() == "mine\n"
    open_workspace(page, served)


def test_logout_closes_the_way(served: Hub, context: BrowserContext) -> None:
    page = log_in(context, served, "alice")
    tunnels: list[WebSocket] = []
    page.on("websocket", lambda tunnel: tunnels.append(tunnel))  # noqa: PLW0108 - a builtin is refused
    open_workspace(page, served)
    # Only these: the editor goes on trying, and what it tries after the logout is refused.
    opened = [tunnel for tunnel in tunnels if not tunnel.is_closed()]
    assert opened != []
    old = cookies(context)
    portal = context.new_page()
    portal.goto(served.url)
    portal.get_by_role("button", name="Log out").click()
    portal.wait_for_url(re.compile("/login"))

    # The open editor's own connections are cut, and the old cookie opens nothing.
    for tunnel in opened:
        if not tunnel.is_closed():
            tunnel.wait_for_event("close")
    assert tunnel_status(served, old) == 401
    answer = context.new_page().goto(f"{served.url}/w/{WORKSPACE}/")
    assert answer is not None
    assert "/login" in answer.url
