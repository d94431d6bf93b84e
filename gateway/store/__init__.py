"""The gateway's own tables: users, sessions and the audit log. Nothing of the workspaces' state.

`open_store(settings)` gives a `Store`; everything here blocks and is called from threads. Nothing
in this package imports the web framework, so the command line may use it as it is.
"""

from gateway.passwords import generate_password
from gateway.store.audit import Audit, AuditEvent, AuditRecord
from gateway.store.sessions import SessionRecord, SessionTable
from gateway.store.store import Store, logins, open_store
from gateway.store.users import Credentials, User, Users

__all__ = [
    "Audit",
    "AuditEvent",
    "AuditRecord",
    "Credentials",
    "SessionRecord",
    "SessionTable",
    "Store",
    "User",
    "Users",
    "generate_password",
    "logins",
    "open_store",
]
