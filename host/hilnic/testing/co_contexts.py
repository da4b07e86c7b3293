# SPDX-License-Identifier: Apache-2.0
"""What a functional CoNDIS client keeps of a SAP, a party and a call: its contexts, and what a test does with each."""

from __future__ import annotations

from typing import Any

from hilnic.ndis import NdisStatus, condis
from hilnic.ndis.condis import CallParameters, PartyHandle, Sap, SapHandle, VcHandle

__all__ = ["Call", "ClientParty", "ClientSap"]


class ClientSap:
    """A SAP of the client's; its context."""

    def __init__(self, client: Any, sap: Sap) -> None:
        self.client = client
        self.sap = sap
        self.handle: SapHandle | None = None
        self.status = NdisStatus.PENDING


class ClientParty:
    """A party of a multipoint call; its context."""

    def __init__(self, call: Call, name: str) -> None:
        self.call = call
        self.name = name
        self.handle: PartyHandle | None = None
        self.status = NdisStatus.PENDING

    @property
    def open(self) -> PartyHandle:
        """The handle, which must be there."""
        assert self.handle is not None
        return self.handle

    def drop(self, data: bytes = b"") -> NdisStatus:
        """NdisClDropParty."""
        return condis.cl_drop_party(self.open, data)


class Call:
    """The client's state of one VC and its call; the VC context."""

    def __init__(self, client: Any, handle: VcHandle | None = None) -> None:
        self.client = client
        self.handle = handle
        self.status = NdisStatus.PENDING  # of make_call
        self.parameters: CallParameters | None = None
        self.is_connected = False
        self.is_closed = False
        self.close_status: NdisStatus | None = None
        self.parties: list[ClientParty] = []
        self.completed: list[tuple[Any, int]] = []  # (list or packet, status)
        self.received: list[bytes] = []
        self.held: list[Any] = []
        self.ends: list[str] = []  # completion handlers that were called

    @property
    def open(self) -> VcHandle:
        """The handle, which must be there."""
        assert self.handle is not None
        return self.handle

    @property
    def is_own(self) -> bool:
        """Whether the client has created the VC, for a call that it makes."""
        return self.open.vc.creator is self.handle

    def close(self, data: bytes = b"") -> NdisStatus:
        """NdisClCloseCall, with the last party where there is one."""
        last = self.parties[-1].handle if self.parties else None
        status = condis.cl_close_call(self.open, last, data)
        if status is NdisStatus.SUCCESS:
            self.is_closed, self.close_status, self.is_connected = True, status, False
        return status

    def delete(self) -> NdisStatus:
        """NdisCoDeleteVc."""
        status = condis.co_delete_vc(self.open)
        if status is NdisStatus.SUCCESS:
            self.client.calls.remove(self)
            self.client.spent += self.completed
        return status

    def modify(self, parameters: CallParameters) -> NdisStatus:
        """NdisClModifyCallQoS."""
        return condis.cl_modify_call_qos(self.open, parameters)

    def add_party(self, name: str, parameters: CallParameters) -> ClientParty:
        """NdisClAddParty."""
        party = ClientParty(self, name)
        self.parties.append(party)
        party.status, party.handle = condis.cl_add_party(self.open, party, parameters)
        return party
