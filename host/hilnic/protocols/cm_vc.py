# SPDX-License-Identifier: Apache-2.0
"""A VC as the stand-alone call manager keeps it: what is reserved for it, its activation and deactivation in turn."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from hilnic.ndis import NdisStatus, condis
from hilnic.ndis.condis import CallParameters
from hilnic.ndis.condis.vlan_media import VlanMedia
from hilnic.protocols.cm_parameters import negotiated
from hilnic.signalling import GroupAddress, TrafficContract
from hilnic.signalling.control import Leg

if TYPE_CHECKING:
    from hilnic.protocols.cm_binding import CmAf, CmBinding

__all__ = ["CmParty", "CmVc"]

Then = Callable[[NdisStatus], None]


class CmParty:
    """A party of a multipoint call at its root; the call manager's context of it."""

    def __init__(self, vc: CmVc, handle: condis.PartyHandle, station: bytes) -> None:
        self.vc, self.handle, self.station = vc, handle, station
        self.leg: Leg | None = None
        self.asked: CallParameters | None = None
        """Of an add_party that has not been completed."""
        self.has_left = False

    @property
    def is_there(self) -> bool:
        """Whether it hears what the root sends."""
        return self.asked is None and not self.has_left


class CmVc:
    """The call manager's context of one VC and of the call on it."""

    def __init__(self, manager: CmBinding, af: CmAf, handle: condis.VcHandle | None, is_incoming: bool) -> None:
        self.manager, self.af, self.is_incoming = manager, af, is_incoming
        self._handle = handle
        self.is_active = self.is_activating = self.is_deleted = False
        self.asked = CallParameters()
        self.parameters = CallParameters()
        self.contract = TrafficContract()
        self.peer = b""
        self.group: GroupAddress | None = None
        self.vlan_ids: tuple[int, ...] = ()
        self.priority = 0
        self.leg: Leg | None = None  # the one that began the call
        self.legs = 0  # that have not ended
        self.parties: list[CmParty] = []
        self.next_party_id = 0
        self.attempts = 0
        self.is_making = self.is_offered = self.is_closing = False
        self.modifying: tuple[CallParameters, TrafficContract] | None = None
        self.close_data = b""
        self.ended: tuple[NdisStatus, bytes] | None = None  # by the peer or a failure, before the client knows
        self._then: Then | None = None
        self._waiting: deque[tuple[Callable[[], NdisStatus], Then]] = deque()

    @property
    def handle(self) -> condis.VcHandle:
        """The call manager's handle, which must be there."""
        assert self._handle is not None
        return self._handle

    @handle.setter
    def handle(self, handle: condis.VcHandle) -> None:
        self._handle = handle

    @property
    def media(self) -> VlanMedia:
        """VLAN id, priority, and whom frames go to."""
        destination = self.group.address if self.group is not None else self.peer
        return VlanMedia(self.vlan_ids[0], self.priority, destination)

    def agreed(self, contract: TrafficContract) -> CallParameters:
        """Call parameters of a contract on this VC."""
        return negotiated(self.asked, contract, not self.is_incoming, self.media)

    def activate(self, parameters: CallParameters, then: Then) -> None:
        """NdisCmActivateVc when everything before is done; `then` hears the end."""

        def done(status: NdisStatus) -> None:
            self.is_activating = False
            if status is NdisStatus.SUCCESS:
                self.is_active, self.parameters = True, parameters
            then(status)

        self.is_activating = True
        self._operate(lambda: condis.cm_activate_vc(self.handle, parameters), done)

    def take_down(self, then: Callable[[], None]) -> None:
        """NdisCmDeactivateVc, if it is active when everything before is done; then nothing flows on it any more."""

        def begin() -> NdisStatus:
            return condis.cm_deactivate_vc(self.handle) if self.is_active else NdisStatus.SUCCESS

        def done(status: NdisStatus) -> None:
            del status  # what the miniport cannot end, it has reported
            self.is_active = False
            self.manager.line.release(self)
            self.free_ids()
            then()

        self._operate(begin, done)

    def _operate(self, begin: Callable[[], NdisStatus], then: Then) -> None:
        """One operation on the VC at a time."""
        if self._then is not None:
            self._waiting.append((begin, then))
            return
        self._then = then
        status = begin()
        if status is not NdisStatus.PENDING:
            self.operated(status)

    def operated(self, status: NdisStatus) -> None:
        """The operation under way has ended."""
        then, self._then = self._then, None
        assert then is not None
        then(status)
        if self._then is None and self._waiting:
            self._operate(*self._waiting.popleft())

    def free_ids(self, *keep: int) -> None:
        """Give back what the call has of VLAN ids, once no leg and no frame has them any more."""
        if keep or not (self.is_active or self.is_activating or self.legs):
            self.manager.ids.give_back(*(vlan_id for vlan_id in self.vlan_ids if vlan_id not in keep))
            self.vlan_ids = keep

    def leg_begun(self, leg: Leg, owner: Any) -> None:
        """One more leg of this call."""
        leg.owner = owner
        self.legs += 1

    def leg_ended(self) -> None:
        """One less."""
        self.legs -= 1
        self.free_ids()

    def __repr__(self) -> str:
        """What it stands for."""
        return f"<CmVc {self._handle!r}, {'active' if self.is_active else 'inactive'}, {self.legs} legs>"
