"""`codehub notify test`, and what `codehub doctor` says of receivers of notices."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Cli
from tests.stacks.notices.receivers import http_server

CANARY = "canary-cli-81"


def secret(place: Path, name: str, text: str) -> str:
    path = place / name
    path.touch(0o600)
    path.write_text(text)
    return str(path)


def test_without_a_receiver_it_is_bad_configuration(cli: Cli) -> None:
    done = cli("notify", "test")
    assert (done.exit_code, done.stdout) == (2, "")
    assert "no receiver of notices is set" in done.stderr
    one = cli("notify", "test", "--sink", "slack", env={"CODEHUB_NOTIFY_WEBHOOK_FILE": "hook"})
    assert one.exit_code == 2
    assert "no slack is set" in one.stderr


def test_it_says_how_each_went(cli: Cli, place: Path) -> None:
    with http_server() as posted:
        env = {
            "CODEHUB_NOTIFY_WEBHOOK_FILE": secret(place, "hook", f"{posted.url}/{CANARY}"),
            "CODEHUB_NOTIFY_SLACK_FILE": str(place / "none"),
        }
        done = cli("notify", "test", "-o", "json", env=env)
        assert done.exit_code == 1
        sent, failed = json.loads(done.stdout)["sinks"]
        assert sent == {"name": "webhook", "state": "sent", "message": ""}
        assert (failed["name"], failed["state"]) == ("slack", "failed")
        assert failed["message"] == f"{place / 'none'} can't be read: No such file or directory"
        assert "slack: " in done.stderr
        assert [one["kind"] for one in posted.requests[0].body["notices"]] == ["test"]
        only = cli("notify", "test", "--sink", "webhook", env=env)
        assert (only.exit_code, only.stderr) == (0, "")
        assert only.stdout.split() == ["NAME", "STATE", "MESSAGE", "webhook", "sent"]
        assert len(posted.requests) == 2
        posted.status = 500
        wrong = cli("--verbose", "notify", "test", "--sink", "webhook", env=env)
        assert (wrong.exit_code, len(posted.requests)) == (1, 3)
        assert CANARY not in wrong.output + done.output


@pytest.mark.engine
def test_the_doctor_tells_of_receivers_and_sends_nothing(cli: Cli, place: Path) -> None:
    def checks(**env: str) -> dict[str, Any]:
        told = {"CODEHUB_ALLOW_UNENFORCED": "all", **env}
        shown = json.loads(cli("doctor", "-o", "json", env=told).stdout)
        return {one["name"]: one for one in shown["checks"] if one["name"].startswith("notices")}

    assert checks() == {}
    lonely = checks(CODEHUB_NOTIFY_WEBHOOK_KEY_FILE="key", CODEHUB_NOTIFY_TO="a@example.org")
    told = "without effect: CODEHUB_NOTIFY_WEBHOOK_KEY_FILE, CODEHUB_NOTIFY_TO"
    assert (lonely["notices"]["ok"], lonely["notices"]["detail"]) == (False, told)
    with http_server() as posted:
        slack = secret(place, "slack", f"{posted.url}/{CANARY}")
        Path(slack).chmod(0o644)
        found = checks(
            CODEHUB_NOTIFY_WEBHOOK_FILE=secret(place, "hook", posted.url),
            CODEHUB_NOTIFY_SLACK_FILE=slack,
            CODEHUB_NOTIFY_SMTP_URL="smtps://mail.example.org",
        )
        assert posted.requests == []
    assert found["notices webhook"]["ok"]
    assert found["notices slack"]["detail"] == f"others may read or write {slack}"
    assert found["notices slack"]["remedy"] == f"chmod o= {slack}"
    assert "CODEHUB_NOTIFY_FROM" in found["notices mail"]["detail"]
