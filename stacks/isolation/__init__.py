"""Closes workspaces off from each other and from this machine, and shows by trying that it holds.

`rules` and `verdict` decide and are pure; `nft` loads, `probe` tries, `guard` keeps both in step with
the engine and says whether workspaces may be started, `lazy` loads it when one is.
"""
