"""Git: commits as a source of workspace files, read without a checkout.

`command` is the only place that starts git; `tree` reads a commit's folder through it.
"""
