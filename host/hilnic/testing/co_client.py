# SPDX-License-Identifier: Apache-2.0
"""The functional CoNDIS client of NDIS 6: a functional protocol that makes and takes calls on command (co_calls.py).

    call = client.make_call(parameters)
    call.send(frame, frame)                 one list per frame, one call
    client.hold = True                      receives stay in call.held until call.give_back()
A *mutant* is a subclass that breaks one rule.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

from hilnic import ndis
from hilnic.ndis import NdisStatus, NetBufferList, OidRequest, ReceiveFlags, condis
from hilnic.ndis.condis import AfHandle, CoAddressFamily
from hilnic.testing.co_calls import FAMILY, Call, CallScript, ClientParty, ClientSap
from hilnic.testing.frames import free_nbl
from hilnic.testing.protocol import FunctionalProtocol

__all__ = ["FAMILY", "ClientCall", "ClientParty", "ClientSap", "FunctionalCoClient"]


class ClientCall(Call):
    """A call, with the lists that it sends and receives."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.completion_calls = 0
        self.receive_flags: list[int] = []
        self.nbl_flags: list[int] = []
        self.in_flight = 0

    def build(self, *frames: bytes, cuts: Sequence[int] = ()) -> NetBufferList:
        """One list of one NB per frame, source handle set."""
        nbl: NetBufferList = self.client.build(*frames, cuts=cuts)
        nbl.source_handle = self.handle
        return nbl

    def send(self, *frames: bytes, flags: int = 0, cancel_id: Any = None) -> list[NetBufferList]:
        """Send one list per frame in one call."""
        nbls = [self.build(frame) for frame in frames]
        for nbl in nbls:
            if cancel_id is not None:
                ndis.set_net_buffer_list_cancel_id(nbl, cancel_id)
        self.send_nbls(nbls, flags)
        return nbls

    def send_nbls(self, nbls: Sequence[NetBufferList], flags: int = 0) -> None:
        """Send prepared lists in one call."""
        self.in_flight += len(nbls)
        condis.co_send_net_buffer_lists(self.open, ndis.chain(nbls), flags)

    def give_back(self, *nbls: NetBufferList) -> None:
        """Return held receives in one call; all of them when none is named."""
        giving = list(nbls) or list(self.held)
        for nbl in giving:
            self.held.remove(nbl)
        ndis.return_net_buffer_lists(self.client.open, ndis.chain(giving))


class FunctionalCoClient(CallScript, FunctionalProtocol):
    """Driver and binding context in one."""

    call_type = ClientCall

    def __init__(self, host: ndis.Ndis, name: str = "client", adapter_name: str | None = None) -> None:
        super().__init__(host, name, adapter_name)

    @property
    def co_binding(self) -> ndis.Binding:
        """The binding."""
        return self.open

    def open_af(self, family: CoAddressFamily) -> tuple[NdisStatus, AfHandle | None]:
        """NdisClOpenAddressFamilyEx."""
        return condis.cl_open_address_family(self.open, family, self)

    def characteristics(self) -> ndis.ProtocolCharacteristics:
        """The handlers of a functional protocol, and set_options."""
        return replace(super().characteristics(), set_options=_set_options)

    def co_characteristics(self) -> condis.ProtocolCoCharacteristics:
        """The handlers of data and status."""
        kind = type(self)
        return condis.ProtocolCoCharacteristics(
            receive_net_buffer_lists=kind.co_receive_net_buffer_lists,
            send_net_buffer_lists_complete=_co_complete,
            af_register_notify=kind.af_register_notify,
            status=kind.co_status,
        )

    def set_options(self, driver: ndis.ProtocolDriver) -> NdisStatus:
        """ProtocolSetOptions."""
        condis.set_optional_handlers(driver, self.co_characteristics())
        return condis.set_optional_handlers(driver, self.client_handlers())

    async def stop(self) -> None:
        """Free what was allocated and unregister."""
        for nbl, _ in chain.from_iterable([self.spent, *(call.completed for call in self.calls)]):
            free_nbl(nbl)
        await super().stop()

    def ask(self, af: AfHandle | None, call: ClientCall | None, request: OidRequest) -> NdisStatus:
        """NdisCoOidRequest."""
        return condis.co_oid_request(self.open, af, None if call is None else call.handle, None, request)

    # Handlers of data and status.

    def co_status(self, call: ClientCall | None, indication: ndis.StatusIndication) -> None:
        """ProtocolCoStatusEx."""
        self.co_statuses.append((call, indication.status_code, indication.buffer))

    def co_receive_net_buffer_lists(self, call: ClientCall, nbls: NetBufferList, count: int, flags: int) -> None:
        """ProtocolCoReceiveNetBufferLists: note the bytes, then hold or return."""
        del count
        call.receive_flags.append(flags)
        for nbl in ndis.walk(nbls):
            call.received += [nb.tobytes() for nb in nbl.net_buffers()]
            call.nbl_flags.append(nbl.nbl_flags)
            if self.hold and not flags & ReceiveFlags.RESOURCES:
                call.held.append(nbl)
        if not self.hold and not flags & ReceiveFlags.RESOURCES:
            ndis.return_net_buffer_lists(self.open, nbls)

    def co_send_net_buffer_lists_complete(self, call: ClientCall, nbls: NetBufferList, flags: int) -> None:
        """ProtocolCoSendNetBufferListsComplete."""
        del flags
        call.completion_calls += 1
        for nbl in ndis.walk(nbls):
            call.completed.append((nbl, nbl.status))
            call.in_flight -= 1

    def __repr__(self) -> str:
        return f"FunctionalCoClient({self.name})"


def _set_options(driver: ndis.ProtocolDriver, client: FunctionalCoClient) -> NdisStatus:
    return client.set_options(driver)


def _co_complete(call: ClientCall, nbls: NetBufferList, flags: int) -> None:
    call.client.co_send_net_buffer_lists_complete(call, nbls, flags)
