"""The workspace file, and those of owners and rules: models, readers, errors with positions, schemas.

Pure but for `read_folder`, `files_of` and `read_rule_files`, which list and read one folder. It imports
nothing of ours.
"""

from spec.errors import InvalidIdError, InvalidSpecError, SourceUnreadableError, SpecError
from spec.files import Origin
from spec.folder import FolderRead, files_of, read_folder, read_rule_files
from spec.ids import check_id
from spec.model import Resources, WorkspaceSpec
from spec.owners import OWNERS_NAME, OwnersFile
from spec.policies import POLICIES_NAME, PoliciesFile
from spec.problems import Problem
from spec.reader import read_text
from spec.rule_files import RULE_FILES, RuleFiles, read_owners, read_policies, read_rules
from spec.schema import json_schema

__all__ = [
    "OWNERS_NAME",
    "POLICIES_NAME",
    "RULE_FILES",
    "FolderRead",
    "InvalidIdError",
    "InvalidSpecError",
    "Origin",
    "OwnersFile",
    "PoliciesFile",
    "Problem",
    "Resources",
    "RuleFiles",
    "SourceUnreadableError",
    "SpecError",
    "WorkspaceSpec",
    "check_id",
    "files_of",
    "json_schema",
    "read_folder",
    "read_owners",
    "read_policies",
    "read_rule_files",
    "read_rules",
    "read_text",
]
