"""What a pull request would do to workspaces, told from two commits alone.

    commits ─▶ fleets ─▶ compare ─▶ Review ─▶ markdown, text, json
              (git)      (pure)       └─▶ change set: its hash, and what became worse since

No engine, no Pulumi, no index, no secret: whoever may read the repository may run it, also for a
fork. It knows no live state, so it says what the files ask for, not what is there.
"""
