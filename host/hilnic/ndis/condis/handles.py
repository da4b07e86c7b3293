# SPDX-License-Identifier: Apache-2.0
"""What the handles of CoNDIS stand for: a call manager's services, an open address family, a SAP, a VC, a party.

Provider                 who has registered an address family on an adapter: a protocol's binding, or the miniport
AfHandle               one client that has opened it
SapHandle            where it wants to be called
Vc                   client, call manager and miniport share it, each by a VcHandle of its own
PartyHandle        of a multipoint call
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any

from hilnic.ndis.condis.machines import MACHINES, AfState, CallState, PartyState, SapState, VcState, rule_of

if TYPE_CHECKING:
    from hilnic.ndis.adapter import Adapter
    from hilnic.ndis.binding import Binding
    from hilnic.ndis.condis.characteristics import CallManagerHandlers, ClientHandlers
    from hilnic.ndis.condis.parameters import CallParameters, CoAddressFamily, Sap
    from hilnic.ndis.ndis import Ndis
    from hilnic.ndis.ndis5.protocol_edge import BindingEdge


class Role(Enum):
    """Which driver a VcHandle belongs to."""

    CLIENT = "client"
    CALL_MANAGER = "call manager"
    MINIPORT = "miniport"


class Machine:
    """An object whose state is a row of one of the tables."""

    __slots__ = ("ndis", "pending", "state")

    kind = ""

    def __init__(self, ndis: Ndis, state: Enum) -> None:
        self.ndis = ndis
        self.state: Any = state
        self.pending: set[str] = set()  # operations that have been begun and not answered

    def step(self, event: Enum, actor: Any) -> bool:
        """Move by the table; a missing pair is a violation by `actor` that names state and event."""
        target = MACHINES[self.kind][self.state].get(event)
        if target is None:
            self.ndis.violation(rule_of(event), actor, self, f"{event.value} in state {self.state.value}")
            return False
        self.state = target
        self.ndis.emit(f"{self.kind}.state", **{self.kind: self.label, "state": target.value})
        return True

    @property
    def label(self) -> str:
        """How the trace calls it."""
        return repr(self)


class Provider:
    """An address family that a call manager has registered on an adapter; `binding` None: the miniport itself."""

    __slots__ = ("adapter", "binding", "family", "handlers", "ndis", "opens")

    def __init__(
        self, adapter: Adapter, binding: Binding | None, family: CoAddressFamily, handlers: CallManagerHandlers
    ) -> None:
        self.ndis = adapter.ndis
        self.adapter = adapter
        self.binding = binding
        self.family = family
        self.handlers = handlers
        self.opens: list[AfHandle] = []

    @property
    def is_mcm(self) -> bool:
        """Whether the call manager is in the miniport."""
        return self.binding is None

    @property
    def actor(self) -> Any:
        """Who is to blame for what the call manager does."""
        return self.adapter if self.binding is None else self.binding

    def __repr__(self) -> str:
        return f"Provider(family {self.family.address_family} on {self.actor!r})"


class AfHandle(Machine):
    """NdisAfHandle: one client's open address family."""

    __slots__ = (
        "binding",
        "client_context",
        "cm_context",
        "family",
        "handlers",
        "provider",
        "saps",
        "vcs",
    )

    kind = "af"

    def __init__(self, binding: Binding, provider: Provider, handlers: ClientHandlers, context: Any) -> None:
        super().__init__(binding.ndis, AfState.OPENING)
        self.binding = binding  # the client's
        self.provider = provider
        self.family = provider.family
        self.handlers = handlers
        self.client_context = context
        self.cm_context: Any = None
        self.saps: list[SapHandle] = []
        self.vcs: list[Vc] = []

    def __repr__(self) -> str:
        return f"Af({self.binding.name}, family {self.family.address_family})"


class SapHandle(Machine):
    """NdisSapHandle: a service access point that a client has registered."""

    __slots__ = ("af", "client_context", "cm_context", "sap")

    kind = "sap"

    def __init__(self, af: AfHandle, sap: Sap, context: Any) -> None:
        super().__init__(af.ndis, SapState.REGISTERING)
        self.af = af
        self.sap = sap
        self.client_context = context
        self.cm_context: Any = None

    def __repr__(self) -> str:
        return f"Sap({self.sap.sap!r} of {self.af!r})"


class Call(Machine):
    """The call on a VC."""

    __slots__ = ("closing", "is_draining", "parameters", "parties", "seal", "sealed", "vc", "watch")

    kind = "call"

    def __init__(self, vc: Vc) -> None:
        super().__init__(vc.ndis, CallState.IDLE)
        self.vc = vc
        self.parties: list[PartyHandle] = []
        self.parameters: CallParameters | None = None  # as they were agreed last
        self.sealed: CallParameters | None = None  # what the call manager has been given, until it completes (CC-13)
        self.seal: CallParameters | None = None  # the values it had then
        self.closing: tuple[PartyHandle | None, bytes] = (None, b"")  # what cl_close_call was given
        self.is_draining = False  # closed with sends out: the call manager hears of it when they are back (CD-12)
        self.watch: Any = None  # until the client answers a remote close (CC-20)

    @property
    def label(self) -> str:
        """How the trace calls it: as its VC."""
        return self.vc.name

    def __repr__(self) -> str:
        return f"Call({self.vc.name})"


class Vc(Machine):
    """A virtual connection. Each driver that takes part has a VcHandle of it."""

    __slots__ = (
        "adapter", "af", "call", "call_manager", "client", "creator", "deferred", "early", "looped", "miniport", "name",
        "number", "parameters", "provider", "receives_outstanding", "sending", "sends_outstanding", "user",
    )  # fmt: skip

    kind = "vc"

    def __init__(self, adapter: Adapter, af: AfHandle | None, number: int) -> None:
        super().__init__(adapter.ndis, VcState.CREATED)
        self.adapter = adapter
        self.af = af  # None: a call manager's own
        self.number = number
        self.name = f"{adapter.name}.vc{number}"
        self.client: VcHandle | None = None
        self.call_manager: VcHandle | None = None
        self.miniport: VcHandle
        self.creator: VcHandle
        self.provider: Any = None  # whose call manager it is
        self.user: VcHandle  # whose data it carries: the client, or the call manager for itself
        self.call = Call(self)
        self.parameters: CallParameters | None = None  # of the latest activation that worked
        self.sends_outstanding = 0
        self.receives_outstanding = 0  # NBLs that its user holds
        self.early: list[Any] = []  # received before the call was connected: (what delivers it, what drops it)
        self.looped: list[Any] = []  # copies of sends on their way up
        self.sending = 0  # send calls under way, one inside the other
        self.deferred: list[Any] = []  # sends from inside of completions, for the outermost

    @property
    def label(self) -> str:
        """How the trace calls it."""
        return self.name

    def __repr__(self) -> str:
        return f"Vc({self.name}, {self.state.value})"


class VcHandle:
    """NdisVcHandle of one driver; an MCM has one for both its halves."""

    __slots__ = ("binding", "context", "forwards", "is_live", "name", "ndis", "role", "vc")

    def __init__(self, vc: Vc, role: Role, binding: Binding | None) -> None:
        self.ndis = vc.ndis
        self.vc = vc
        self.role = role
        self.binding = binding  # None: the miniport's
        self.context: Any = None
        self.is_live = True
        self.forwards = False  # its frames have their ids already
        self.name = f"{vc.name}.{role.value}"

    @property
    def adapter(self) -> Adapter:
        """The adapter that the VC is on."""
        return self.vc.adapter

    @property
    def actor(self) -> Any:
        """Who is to blame for what is done with the handle."""
        return self.vc.adapter if self.binding is None else self.binding

    @property
    def driver(self) -> Any:
        """Whose handle it is."""
        return self.actor.driver

    @property
    def is_mcm(self) -> bool:
        """Whether it is an integrated call manager's."""
        return self.vc.call_manager is self.vc.miniport

    def __repr__(self) -> str:
        return f"VcHandle({self.name})"


class PartyHandle(Machine):
    """NdisPartyHandle: one party of a multipoint call."""

    __slots__ = ("client_context", "cm_context", "seal", "sealed", "vc")

    kind = "party"

    def __init__(self, vc: Vc, context: Any) -> None:
        super().__init__(vc.ndis, PartyState.ADDING)
        self.vc = vc
        self.sealed: CallParameters | None = None  # as in a call, until add_party completes (CC-13)
        self.seal: CallParameters | None = None
        self.client_context = context
        self.cm_context: Any = None

    def __repr__(self) -> str:
        return f"Party({self.vc.name}, {self.vc.call.parties.index(self) if self in self.vc.call.parties else 'gone'})"


def core_binding(binding: Binding | BindingEdge) -> Binding:
    """The core's binding, also of a 5.x driver, whose handle is its edge."""
    core = getattr(binding, "core", None)
    return binding if core is None else core  # type: ignore[return-value]
