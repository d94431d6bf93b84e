"""Edits: what users change of workspace files comes into the repository, or the folder, by the runner.

    words      what a commit and a pull request say; foreign text made harmless. Pure
    decide     whether an edit may be made, from what the files say before and after. Pure
    views      files and templates as their editors see them. Pure
    drafts     a commit without a checkout, in objects of its own
    reads      the few threads that read for who asks
    branch_files  the files of a branch: read
    branch     the files of a branch: commit, push, pull request
    folder     the files of a folder: read, write by rename
    desk       takes edits from the index, has them made, tries again, ends them

Why it is done so: docs/explanation/edits.md.
"""
