"""Errors of a Pulumi operation, its state and its policies."""

from dataclasses import dataclass

from stacks.errors.base import PermanentError, TemporaryError


class OperationTimeoutError(TemporaryError):
    """An operation was ended because its time was over."""

    reason = "OPERATION_TIMEOUT"
    default_remedy = "It is tried again; raise CODEHUB_OPERATION_TIMEOUT if it is always too short."


class OperationKilledError(TemporaryError):
    """The worker, the Pulumi CLI or the plugin died while an operation ran."""

    reason = "OPERATION_KILLED"
    default_remedy = "It is tried again and picks up what was left behind."


class OperationFailedError(TemporaryError):
    """Pulumi reported a failure that has no kind of its own."""

    reason = "OPERATION_FAILED"
    default_remedy = "It is tried again; the message is Pulumi's or the engine's own."


class StateUnavailableError(TemporaryError):
    """Pulumi's state files cannot be read or written."""

    reason = "STATE_UNAVAILABLE"
    default_remedy = "It is tried again; look at the disk that holds CODEHUB_DATA."


class ProgramError(PermanentError):
    """Our own Pulumi program raised: a bug."""

    reason = "PROGRAM_ERROR"
    default_remedy = "This is a bug in CodeHub; the log has the traceback."


class ToolchainError(PermanentError):
    """The Pulumi CLI or a plugin is not there."""

    reason = "TOOLCHAIN_MISSING"
    default_remedy = "Run `scripts/dev`, or `codehub doctor` to see what is missing."


@dataclass(frozen=True, kw_only=True)
class Violation:
    """One policy said no to one resource.

    Attributes:
        rule: Id of the rule, as in the policy reference.
        resource: Type and name of the resource, or "" for a rule on the stack.
        message: Reason and remedy in one text.
        mandatory: Whether it stops the operation.
    """

    rule: str
    resource: str
    message: str
    mandatory: bool = True


class PolicyViolationError(PermanentError):
    """At least one mandatory policy said no."""

    reason = "POLICY_VIOLATION"
    default_remedy = "Change the workspace file so that it keeps the rules named in the message."

    def __init__(
        self, violations: tuple[Violation, ...], *, step: str = "", remedy: str = ""
    ) -> None:
        told = "; ".join(
            f"{found.rule} ({found.resource}): {found.message}"
            if found.resource
            else f"{found.rule}: {found.message}"
            for found in violations
        )
        super().__init__(told, step=step, remedy=remedy)
        self.violations = violations


class RulesUnreadableError(PermanentError):
    """The files of owners and rules can't be read, so nothing new is applied."""

    reason = "RULES_UNREADABLE"
    default_remedy = "Mend the file; `codehub validate` shows all that is wrong with it."
