# SPDX-License-Identifier: Apache-2.0
"""What the call managers of NDIS 5 do by calls of NDIS 5, and what they must ask for because a bind does not say it."""

from __future__ import annotations

import pytest

from hilnic.ndis import NdisStatus
from hilnic.ndis.condis import ndis5 as condis5
from hilnic.protocols.call_manager5 import CallManager5
from hilnic.protocols.co_client import CallFailed, ConnectionState, Qos
from hilnic.testing.bench import NdisBench
from hilnic.testing.co_wire import CoLan, WiredCoMiniport5

from .co_lan import FAST, KINDS, Kind, Lan
from .nic_lan import NicLan
from .wired_mcm import WiredMcm5

FIVE = KINDS["C"]


class Unplugged(WiredCoMiniport5):
    """Has no link, and so no speed, until it is plugged in."""

    speed = 0

    def co_request(self, vc, request):
        if vc is None and request.oid == 0x00010105:
            return request.reply(self.speed.to_bytes(4, "little") * 2)
        return super().co_request(vc, request)

    def plug(self) -> None:
        self.speed = 10_000_000
        self.indicate_co_status(None, NdisStatus.MEDIA_CONNECT)

    def unplug(self) -> None:
        self.speed = 0
        self.indicate_co_status(None, NdisStatus.MEDIA_DISCONNECT)


@pytest.mark.rule("CC-22")
@pytest.mark.parametrize(
    ("miniport", "calls", "never"),
    [
        ("5-co", {"NdisCmRegisterAddressFamily", "NdisCoRequest", "NdisRequest", "NdisCoSendPackets"}, "NdisMCm"),
        ("5-mcm", {"NdisMCmRegisterAddressFamily", "NdisMCmActivateVc"}, "NdisCm"),
    ],
)
def test_a_call_goes_by_calls_of_ndis_5(miniport, calls, never) -> None:
    lan = NicLan(miniport=miniport)
    one, _ = lan.open()
    one.send(b"data")
    lan.sleep(100_000)
    for stack in lan.stacks:
        made = {name for name, number in stack.host.calls.items() if number}
        assert calls <= made
        assert not any(name.startswith(never) for name in made)
    lan.stop()


def test_the_line_has_the_speed_that_the_miniport_tells() -> None:
    lan = Lan([Kind(Unplugged, CallManager5, FIVE.client)] * 2)
    lan.refuses(NdisStatus.CELLRATE_NOT_AVAILABLE)
    for host in lan.lan.hosts:
        host.miniport.plug()
    one, _ = lan.open()
    for host in lan.lan.hosts:
        host.miniport.unplug()  # calls that there are keep their promises, and new ones end by timer
    assert one.state is ConnectionState.OPEN
    with pytest.raises(CallFailed) as caught:
        lan.open(sends=Qos(rate=120_000_000))
    assert caught.value.status is NdisStatus.CELLRATE_NOT_AVAILABLE
    lan.open(sends=FAST)
    lan.stop()


def test_a_speed_that_is_told_later_counts_from_then_on() -> None:
    class Slow(Unplugged):
        speed = 10_000_000

        def co_request(self, vc, request):
            if vc is None:
                self.asked = request
                return NdisStatus.PENDING
            return super().co_request(vc, request)

        def tell_speed(self) -> None:
            status = Unplugged.co_request(self, None, self.asked)
            condis5.mco_request_complete(self.adapter, self.asked, status)

    lan = Lan([Kind(Slow, CallManager5, FIVE.client)] * 2)
    lan.refuses(NdisStatus.CELLRATE_NOT_AVAILABLE)
    for host in lan.lan.hosts:
        host.miniport.tell_speed()
    lan.open()
    lan.stop()


@pytest.mark.rule("CC-01")
def test_a_second_call_manager_does_not_bind() -> None:
    lan = CoLan([WiredMcm5])
    manager = lan.hosts[0].add(CallManager5())
    lan.hosts[0].start()
    assert not manager.bindings
    lan.stop()


def test_it_does_not_bind_to_an_adapter_without_connections() -> None:
    bench = NdisBench(protocols=0)
    manager = CallManager5()
    bench.run(manager.register(bench.ndis))
    assert not manager.bindings
    bench.run(manager.deregister())
    bench.stop()
