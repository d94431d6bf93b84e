"""Finds and removes what is left over on the engine and in the data tree, and bounds what is kept.

`decide` is pure; `engine`, `tables` and `files` look and remove; `collector` puts them together, and
`upkeep` prunes state, history and logs. A home volume is removed by none of them: that is
`stacks.homes`' alone.
"""
