"""Which events lead a workspace from its phase to a kind of work. Pure.

The phase table says what may follow what. After a crash or a hand's change a workspace may stand
anywhere, and the runner must get from there to its work by legal steps only. A step through ERROR
keeps what the history says about running or not, which one through WARM would not.
"""

from collections.abc import Mapping
from types import MappingProxyType

from state_index.phases import Event, Phase

Path = tuple[Event, ...]

TO_APPLY: Mapping[Phase, Path] = MappingProxyType(
    {
        Phase.PENDING: (Event.PROVISION,),
        Phase.PROVISIONING: (),
        Phase.STARTING: (Event.FAILED, Event.UPDATE),
        Phase.RUNNING: (Event.UPDATE,),
        Phase.STOPPING: (Event.FAILED, Event.UPDATE),
        Phase.UPDATING: (),
        Phase.WARM: (Event.UPDATE,),
        Phase.DELETING: (Event.REMOVED, Event.REVIVE, Event.PROVISION),
        Phase.TOMBSTONED: (Event.REVIVE, Event.PROVISION),
        Phase.ERROR: (Event.UPDATE,),
        Phase.UNKNOWN: (Event.FAILED, Event.UPDATE),
    }
)
"""Towards `up`; a workspace that was never brought up goes by `TO_CREATE`."""

TO_CREATE: Mapping[Phase, Path] = MappingProxyType(
    {
        **TO_APPLY,
        Phase.ERROR: (Event.PROVISION,),
        Phase.UNKNOWN: (Event.FAILED, Event.PROVISION),
    }
)

TO_START: Mapping[Phase, Path] = MappingProxyType(
    {
        Phase.PENDING: (Event.BOOTING,),
        Phase.PROVISIONING: (Event.BOOTING,),
        Phase.STARTING: (),
        Phase.RUNNING: (Event.STOPPED, Event.START),
        Phase.STOPPING: (Event.STOPPED, Event.START),
        Phase.UPDATING: (Event.BOOTING,),
        Phase.WARM: (Event.START,),
        Phase.ERROR: (Event.START,),
        Phase.UNKNOWN: (Event.BOOTING,),
    }
)

TO_STOP: Mapping[Phase, Path] = MappingProxyType(
    {
        Phase.PENDING: (),
        Phase.PROVISIONING: (Event.APPLIED,),
        Phase.STARTING: (Event.STOP,),
        Phase.RUNNING: (Event.STOP,),
        Phase.STOPPING: (),
        Phase.UPDATING: (Event.APPLIED,),
        Phase.WARM: (),
        Phase.ERROR: (Event.STOP,),
        Phase.UNKNOWN: (),
    }
)
"""Towards a stopped container; `STOPPED` is legal at the end of each."""

TO_DELETE: Mapping[Phase, Path] = MappingProxyType(
    {
        Phase.PENDING: (Event.DELETE,),
        Phase.PROVISIONING: (Event.FAILED, Event.DELETE),
        Phase.STARTING: (Event.DELETE,),
        Phase.RUNNING: (Event.DELETE,),
        Phase.STOPPING: (Event.FAILED, Event.DELETE),
        Phase.UPDATING: (Event.FAILED, Event.DELETE),
        Phase.WARM: (Event.DELETE,),
        Phase.DELETING: (),
        Phase.TOMBSTONED: (Event.REVIVE, Event.DELETE),
        Phase.ERROR: (Event.DELETE,),
        Phase.UNKNOWN: (Event.FAILED, Event.DELETE),
    }
)
"""Towards a tombstone; one that stands is no more, where its container does."""

TO_PURGE: Mapping[Phase, Path] = MappingProxyType(
    {
        Phase.PENDING: (Event.REMOVED, Event.PURGE),
        Phase.DELETING: (),
        Phase.TOMBSTONED: (Event.PURGE,),
        Phase.ERROR: (Event.PURGE,),
        Phase.UNKNOWN: (Event.FAILED, Event.PURGE),
    }
)
"""Towards the removal of a home; a PENDING one was lost by the index."""
