"""Typed settings from the environment and one file, and the paths of the data tree. Ground room."""
