"""Forges: GitHub, Gitea (Forgejo too) and GitLab behind one small interface.

What CodeHub wants of a forge is a comment on a pull request, a status of a commit, what a pull request
is, to open one, and to know a webhook for the forge's own. This room decides nothing about workspaces and
imports nothing of ours. `forges.forge` has the interface and `connect`; `forges.webhooks` and
`forges.markup` are pure.
"""
