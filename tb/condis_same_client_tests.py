# SPDX-License-Identifier: Apache-2.0
"""A client cannot tell a stand-alone call manager from an integrated one, over two Verilog NICs (CC-23).

What is compared with is written here, so that every kind of call manager in every version leaves this very trace. All
combinations and more scenarios, on a functional wire: tests/protocols/test_same_client.py.
"""

import cocotb
from condis_call_bench import SELECTOR, call_hosts, connected, finish

from hilnic.ndis import NdisStatus
from hilnic.protocols.co_client import CallFailed, CoClient, ConnectionState, Qos
from hilnic.protocols.co_client5 import CoClient5

FAST = Qos(rate=25_000_000, burst=4 * 1522, max_sdu=1500)
FASTER = Qos(rate=50_000_000, burst=4 * 1522, max_sdu=1500)
KINDS = [
    (("6-co", "5-mcm"), CoClient),
    (("5-mcm", "6-co"), CoClient5),
    (("5-co", "6-mcm"), CoClient5),
    (("6-mcm", "5-co"), CoClient),
]
"""Each kind of call manager in each version, once with the client that calls and once with the one that is called."""
CALLER = [
    "make call complete SUCCESS",
    "modify complete SUCCESS",
    "incoming close call SUCCESS b'enough'",
    "close call complete SUCCESS",
    "make call complete NOT_ACCEPTED",
]
CALLED = [
    "create VC",
    f"incoming call {SELECTOR!r}",
    "call connected",
    "incoming QoS change",
    "close call complete SUCCESS",
    "delete VC",
    "create VC",
    f"incoming call {SELECTOR!r}",
    "delete VC",
]


@cocotb.test()
@cocotb.parametrize(kinds=KINDS)
async def a_client_hears_the_same_of_every_call_manager(dut, kinds):
    """CC-23: a call that is changed in use and closed by the called side, then one that is refused."""
    miniports, client = kinds
    one, other = await call_hosts(dut, *miniports, client=client)
    heard = [], []
    for host, events in zip((one, other), heard, strict=True):
        host.client.on_heard = lambda _connection, what, events=events: events.append(what)
    ours, theirs = await connected(one, other, FAST, FAST)
    ours.send(b"question")
    theirs.send(b"answer")
    await ours.change(FASTER, FAST)
    await one.until(lambda: ours.received and theirs.received, "data of both")
    await theirs.close(b"enough")
    await one.until(lambda: ours.state is ConnectionState.CLOSED, "the close at the caller")
    other.client.listeners[SELECTOR].on_call = lambda _connection: False
    try:
        await one.call(other, FAST, FAST)
    except CallFailed as refused:
        assert refused.status is NdisStatus.NOT_ACCEPTED
    else:
        raise AssertionError("a call that was refused went through")
    await one.until(lambda: not other.client.connections, "the end of the VC that was created for it")
    assert heard == (CALLER, CALLED)
    await finish(one, other)
