# SPDX-License-Identifier: Apache-2.0
"""The stand-alone call manager of NDIS 6: a protocol driver that gives its clients calls over a signalling VC."""

from __future__ import annotations

from hilnic import ndis
from hilnic.ndis import NdisStatus, NetBufferList, NetEvent, condis
from hilnic.protocols.cm_binding import FAMILY, HANDLERS, CmBinding
from hilnic.protocols.co_protocol import CoProtocol, take_sdus
from hilnic.protocols.sdu import SduPool
from hilnic.signalling import LONGEST_MESSAGE
from hilnic.signalling.control import TimerValues

__all__ = ["CallManager", "CmBinding6"]


class CmBinding6(CmBinding):
    """The call manager on one adapter."""

    sdus: SduPool

    def make_pool(self, tag: str) -> SduPool:
        """What messages are sent from: lists."""
        return SduPool(self.driver.handle, LONGEST_MESSAGE, tag)

    def register_family(self) -> NdisStatus:
        """NdisCmRegisterAddressFamilyEx."""
        return condis.cm_register_address_family(self.open_handle, FAMILY)

    async def pnp_event(self, event: ndis.NetPnpEvent) -> NdisStatus:
        """ProtocolNetPnPEvent: while it is paused messages are lost."""
        if event.event is NetEvent.PAUSE:
            self.is_running = False
            await self.wait_until_sent()
        elif event.event is NetEvent.RESTART:
            self.is_running = True
        return NdisStatus.SUCCESS


def _receive(binding: CmBinding6, signalling: CmBinding6, nbls: NetBufferList, count: int, flags: int) -> None:
    """ProtocolCoReceiveNetBufferLists; the one VC that the driver receives on is the signalling's."""
    del signalling, count
    binding.hear(take_sdus(binding.open_handle, nbls, flags))


def _sent(signalling: CmBinding6, nbls: NetBufferList, flags: int) -> None:
    """ProtocolCoSendNetBufferListsComplete."""
    del flags
    signalling.sdus.completed(nbls)
    signalling.sent()


PROTOCOL = condis.ProtocolCoCharacteristics(
    receive_net_buffer_lists=_receive,
    send_net_buffer_lists_complete=_sent,
)


class CallManager(CoProtocol):
    """The driver: `await CallManager().register(host)`."""

    handlers = (PROTOCOL, HANDLERS)

    def __init__(self, *, name: str = "call manager", timers: TimerValues | None = None) -> None:
        super().__init__(name)
        self.timers = timers

    def new_binding(self, parameters: ndis.BindParameters) -> CmBinding6:
        """On one adapter."""
        return CmBinding6(self, parameters.adapter_name, self.timers)

    def opened(self, binding: CmBinding6, parameters: ndis.BindParameters) -> NdisStatus:
        """Address and speed come with the bind."""
        binding.learn_speed(parameters.xmit_link_speed)
        return binding.start(parameters.mac_address)
