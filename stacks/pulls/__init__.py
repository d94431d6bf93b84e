"""Pull requests: what the runner says in them, and that a merge does no more than was said.

    watch ─▶ copy (git) ─▶ review + live ─▶ comment, status, `index.reviews`
    source (a commit) ─▶ binding ─▶ judge (pure) ─▶ `Snapshot.holds` ─▶ `stacks.ruling`

Files of a pull request are read as data, and judged by the rules of the branch. Why:
docs/explanation/bound-reviews.md.
"""
