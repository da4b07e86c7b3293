# SPDX-License-Identifier: Apache-2.0
"""C5-01, C5-02: what a registration names, and how an adapter begins."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hilnic.ndis import (
    Ndis,
    NdisMedium,
    NdisStatus,
    Profile,
    ndis5,
)
from hilnic.testing import VirtualKernel, VirtualMapper, expect_violation
from hilnic.testing.miniport5 import FunctionalMiniport5
from hilnic.testing.protocol5 import FunctionalProtocol5


@pytest.fixture
def host() -> Ndis:
    return Ndis(VirtualKernel())


def miniport_of(host: Ndis, **changes):
    return replace(FunctionalMiniport5(host).characteristics(), **changes)


def protocol_of(host: Ndis, **changes):
    return replace(FunctionalProtocol5(host).characteristics(), **changes)


@pytest.mark.rule("C5-01", "C5-10")
def test_a_deregistered_protocol_is_unbound_and_is_offered_no_more_adapters(bench5):
    b = bench5()
    gone = FunctionalProtocol5(b.ndis, "gone")
    b.run(gone.start())
    assert gone.open in [binding.context for binding in b.fm.adapter.bindings]
    driver = gone.driver
    ndis5.free_packet_pool(gone.pool)
    b.run(ndis5.deregister_protocol(driver))
    assert driver not in b.ndis.protocol_drivers
    assert [binding.context for binding in b.fm.adapter.bindings] == [b.fp.open]
    with expect_violation(b.ndis, "ST-21"):
        b.run(ndis5.deregister_protocol(driver))


@pytest.mark.rule("C5-01")
@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, NdisStatus.SUCCESS),
        (
            {"version": (5, 0), "cancel_send_packets": None, "pnp_event_notify": None, "shutdown": None},
            NdisStatus.SUCCESS,
        ),
        ({"version": (5, 0)}, NdisStatus.BAD_CHARACTERISTICS),  # handlers that only 5.1 has
        ({"version": (4, 0)}, NdisStatus.BAD_VERSION),
        ({"version": (3, 0)}, NdisStatus.BAD_VERSION),
        ({"version": (6, 0)}, NdisStatus.BAD_VERSION),
        ({"initialize": None}, NdisStatus.BAD_CHARACTERISTICS),
        ({"halt": None}, NdisStatus.BAD_CHARACTERISTICS),
        ({"reset": None}, NdisStatus.BAD_CHARACTERISTICS),
        ({"query_information": None}, NdisStatus.BAD_CHARACTERISTICS),
        ({"set_information": None}, NdisStatus.BAD_CHARACTERISTICS),
        ({"send_packets": None}, NdisStatus.BAD_CHARACTERISTICS),
        ({"isr": lambda ctx: (True, True)}, NdisStatus.BAD_CHARACTERISTICS),  # without handle_interrupt
        ({"return_packet": None, "transfer_data": None, "check_for_hang": None}, NdisStatus.SUCCESS),
    ],
)
def test_a_miniport_registers_with_its_version_and_its_handlers(host, changes, status):
    assert ndis5.register_miniport(host, miniport_of(host, **changes))[0] is status


@pytest.mark.rule("C5-01", "R5-14")
@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, NdisStatus.SUCCESS),
        ({"version": (5, 0)}, NdisStatus.SUCCESS),
        ({"version": (4, 0)}, NdisStatus.BAD_VERSION),
        ({"receive_packet": None}, NdisStatus.SUCCESS),
        ({"receive": None}, NdisStatus.SUCCESS),
        (
            {"receive": None, "receive_packet": None, "wan_receive": None, "wan_send_complete": None},
            NdisStatus.BAD_CHARACTERISTICS,
        ),
        ({"receive_complete": None}, NdisStatus.BAD_CHARACTERISTICS),
        ({"transfer_data_complete": None}, NdisStatus.BAD_CHARACTERISTICS),
        ({"bind_adapter": None}, NdisStatus.BAD_CHARACTERISTICS),
        ({"send_complete": None}, NdisStatus.BAD_CHARACTERISTICS),
        ({"status_complete": None}, NdisStatus.BAD_CHARACTERISTICS),
        ({"wan_send_complete": None}, NdisStatus.BAD_CHARACTERISTICS),
    ],
)
def test_a_protocol_registers_with_at_least_one_receive_handler(host, changes, status):
    registering = ndis5.register_protocol(host, protocol_of(host, **changes))
    assert host.kernel.run(registering)[0] is status


@pytest.mark.rule("R5-14")
def test_protocol_receive_may_be_demanded(host):
    strict = Ndis(VirtualKernel(), profile=Profile(receive_required=True))
    registering = ndis5.register_protocol(strict, protocol_of(strict, receive=None))
    assert strict.kernel.run(registering)[0] is NdisStatus.BAD_CHARACTERISTICS


@pytest.mark.rule("C5-02")
def test_initialize_picks_one_of_the_media_that_are_offered(bench5):
    offered: list[NdisMedium] = []

    class Noting(FunctionalMiniport5):
        def initialize(self, adapter, mediums):
            offered.extend(mediums)
            return super().initialize(adapter, mediums)

    b = bench5(miniport=Noting)
    assert {NdisMedium.MEDIUM_802_3, NdisMedium.MEDIUM_802_5, NdisMedium.WAN} <= set(offered)
    assert b.fm.adapter.attributes.media_type is NdisMedium.MEDIUM_802_3
    assert b.fm.adapter.attributes.mac_address == b.fm.mac_address


@pytest.mark.rule("C5-02", "C5-12")
def test_no_common_medium_ends_the_initialize_with_nothing_left(host):
    class Irda(FunctionalMiniport5):
        medium = NdisMedium.LOOPBACK

    fm = Irda(host)
    assert host.kernel.run(fm.start()) is NdisStatus.UNSUPPORTED_MEDIA
    assert host.adapters == []
    host.check_leaks()


@pytest.mark.rule("C5-02")
def test_a_protocol_that_knows_no_such_medium_cannot_open(bench5):
    class TokenRingOnly(FunctionalProtocol5):
        mediums = (NdisMedium.MEDIUM_802_5,)

    b = bench5(protocol=TokenRingOnly, listen=False)
    assert b.fp.binding is None


@pytest.mark.rule("C5-02")
@pytest.mark.mutant("C5-02")
@pytest.mark.parametrize("fault", ["no attributes", "another medium", "hardware first"])
def test_mutant_initializes_out_of_order(host, fault):
    class Hasty(FunctionalMiniport5):
        def initialize(self, adapter, mediums):
            if fault == "hardware first":
                ndis5.initialize_scatter_gather_dma(adapter, VirtualMapper())
            if fault != "no attributes":
                super().initialize(adapter, mediums)
                if fault == "another medium":
                    ndis5.free_packet_pool(self.pool)
            return NdisStatus.SUCCESS, (NdisMedium.LOOPBACK if fault == "another medium" else self.medium)

    fm = Hasty(host)
    with expect_violation(host, "C5-02"):
        status = host.kernel.run(fm.start())
    assert status is (NdisStatus.SUCCESS if fault == "hardware first" else NdisStatus.FAILURE)
