"""Every rule that there is, in the order of the reference page. Pure."""

from datetime import date
from typing import Any

from policies.edits import REVIEW_RULES
from policies.model import Policies
from policies.plan import PLAN_RULES, ended_words
from policies.rules import IMAGE_ALLOWED, RULES
from policies.words import Level, Rule

CATALOGUE: tuple[Rule, ...] = (*RULES, *PLAN_RULES, *REVIEW_RULES)
BY_ID = {rule.id: rule for rule in CATALOGUE}


def pack_rules(
    workspace: str, *, policies: Policies | None, today: date
) -> dict[str, dict[str, Any]]:
    """Give what `_policies.yaml` says for the policy pack's run on one workspace, as plain values.

    Exemptions are worked in; see `policies.rules.configured`.
    """
    if policies is None or policies.images is None:
        return {}
    level = policies.levels.get(IMAGE_ALLOWED, BY_ID[IMAGE_ALLOWED].level)
    if level is Level.OFF or policies.exemption(IMAGE_ALLOWED, workspace, today):
        return {}
    ended = policies.ended(IMAGE_ALLOWED, workspace, today)
    found: dict[str, Any] = {"level": str(level), "images": list(policies.images)}
    return {IMAGE_ALLOWED: found | ({"note": ended_words(ended)} if ended else {})}
