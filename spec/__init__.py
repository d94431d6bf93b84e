"""The workspace file: its model, its reader, its errors with positions, its JSON Schema.

Pure but for `read_folder`, which lists and reads one folder. It imports nothing of ours.
"""

from spec.errors import InvalidIdError, InvalidSpecError, SourceUnreadableError, SpecError
from spec.folder import FolderRead, read_folder
from spec.ids import check_id
from spec.model import Resources, WorkspaceSpec
from spec.problems import Problem
from spec.reader import read_text
from spec.schema import json_schema

__all__ = [
    "FolderRead",
    "InvalidIdError",
    "InvalidSpecError",
    "Problem",
    "Resources",
    "SourceUnreadableError",
    "SpecError",
    "WorkspaceSpec",
    "check_id",
    "json_schema",
    "read_folder",
    "read_text",
]
