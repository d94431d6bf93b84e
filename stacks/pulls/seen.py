"""What the watcher remembers of one open pull request, and when one that failed is looked at again. Pure."""

from dataclasses import dataclass

from stacks.pulls.pauses import LONGEST, patience
from stacks.review.model import Review


@dataclass
class Seen:
    """One open pull request.

    Attributes:
        head: Its commit that was reviewed.
        base: The branch's, by which it was.
        review: What was found; the files themselves are not kept. None where the branch has the commit.
        print: Of what the forge was told.
        trailer: Whether its title or description ever held words that would be a trailer of its merge;
            then the index knows it too.
        marked: Its commit of which the status says that it can't be read.
        last: Whether the forge failed at it: then all others come first.
        failed: Its commit that could not be read or told.
        failures: How often in a row.
        again: When it is looked at again, by the watcher's clock.
    """

    head: str = ""
    base: str = ""
    review: Review | None = None
    print: str = ""
    trailer: bool = False
    marked: str = ""
    last: bool = False
    failed: str = ""
    failures: int = 0
    again: float = 0.0

    def rests(self, head: str, now: float) -> bool:
        """Whether a commit is not looked at yet, as it failed."""
        return self.failed == head and now < self.again

    def fails(self, head: str, now: float, *, most: float = LONGEST) -> None:
        """Note that a commit could not be read or told; it rests, at most so many seconds."""
        self.failures = self.failures + 1 if self.failed == head else 1
        self.failed, self.again = head, now + patience(self.failures, most=most)

    def goes_well(self) -> None:
        """Note that it was read and told."""
        self.last, self.failed, self.failures = False, "", 0
