"""What a commit says: foreign text stays text."""

from datetime import UTC, datetime

import pytest

from stacks.edits import words
from state_index.edits import Edit

EDIT = Edit(
    id="e" * 32,
    workspace_id="one",
    action="change",
    actor="alice",
    base="",
    text="x",
    created_at=datetime(2026, 1, 2, tzinfo=UTC),
)


def test_without_a_word_of_the_user_there_are_ours() -> None:
    assert words.message(EDIT) == (
        f"change workspace one\n\nCodehub-Operation: {'e' * 32}\nCodehub-Actor: alice\n"
    )
    assert words.pull_branch(EDIT) == f"codehub/edit-{'e' * 32}"


@pytest.mark.parametrize(
    ("actor", "name", "email"),
    [
        ("alice", "alice", "alice@d.invalid"),
        ("cli:root", "cli:root", "cli-root@d.invalid"),
        ("a\nauthor b <c@d>", "a author b ?c@d?", "a-author-b-c-d@d.invalid"),
        ("Zoë Ö", "Zoë Ö", "Zo@d.invalid"),
        ("\u202eecila\x00", "?ecila?", "ecila@d.invalid"),
        ("  ", "someone", "someone@d.invalid"),
        ("<>", "??", "someone@d.invalid"),
        ("...", "someone", "someone@d.invalid"),
        ("x" * 500, "x" * 128, f"{'x' * 64}@d.invalid"),
    ],
)
def test_names_are_one_line_and_addresses_are_addresses(actor: str, name: str, email: str) -> None:
    assert words.author(actor, domain="d.invalid") == words.Signature(name=name, email=email)


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("a word", "a word"),
        ("Codehub-Actor: root", "> Codehub-Actor: root"),
        ("a\n  CODEHUB-Approve: yes", "a\n> CODEHUB-Approve: yes"),
        ("a\rCodehub-Actor: b", "a\n> Codehub-Actor: b"),
        ("a\u2028Codehub-Actor: b", "a\n> Codehub-Actor: b"),
        ("---\nb", "> ---\nb"),
        ("a\n\n\n\n\nb\n\n", "a\n\nb"),
        ("tab\there \x07 \u202e", "tab here ? ?"),
        ("", ""),
        ("y" * 9999, "y" * words.MESSAGE_MAX),
    ],
)
def test_a_users_words_are_quoted_where_they_look_like_ours(said: str, kept: str) -> None:
    assert words.quoted(said) == kept
