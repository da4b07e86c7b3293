# SPDX-License-Identifier: Apache-2.0
"""V8: what has to end in time, in virtual time. Each mutant forgets one end; who is just in time is left alone."""

from __future__ import annotations

import pytest

from hilnic import ndis
from hilnic.ndis import NdisStatus, Oid
from hilnic.testing import FunctionalMiniport, FunctionalProtocol, expect_violation

SECOND = 1_000_000_000


class ForgetfulMiniport(FunctionalMiniport):
    """Answers PENDING and leaves it at that."""

    def pause(self, parameters):
        return NdisStatus.PENDING

    def reset(self):
        return NdisStatus.PENDING, False


class HoardingProtocol(FunctionalProtocol):
    """Never answers its pause event."""

    async def net_pnp_event(self, event):
        if event.event is ndis.NetEvent.PAUSE:
            await self.ndis.kernel.create_event().wait()
        return NdisStatus.SUCCESS


class StuckProtocol(FunctionalProtocol):
    """Never ends its unbind."""

    def unbind_adapter(self, unbind_context):
        return NdisStatus.PENDING


@pytest.mark.rule("S6-02")
@pytest.mark.mutant("S6-02")
def test_mutant_never_completes_a_send(bench):
    b = bench()
    b.fp.send(b.frame())
    with expect_violation(b.ndis):
        b.kernel.run_for(21 * SECOND)
    with expect_violation(b.ndis, "S6-02") as found:
        b.kernel.run_for(8 * SECOND)
    assert "has not moved for 22 s" in str(found[0])
    assert not b.ndis.report.violations
    with expect_violation(b.ndis, "S6-02") as found:
        b.kernel.run_for(1 * SECOND)
    assert "within 30 s" in str(found[0])
    assert "sent by" in str(found[0])
    with expect_violation(b.ndis):
        b.kernel.run_for(100 * SECOND)


def test_sends_that_end_in_time_are_left_alone(bench):
    b = bench()
    for _ in range(5):
        b.fp.send(b.frame())
        b.kernel.run_for(20 * SECOND)
        b.fm.complete_all()
    assert not b.ndis.report.warnings


def test_each_send_has_a_time_of_its_own(bench):
    b = bench()
    (first,) = b.fp.send(b.frame())
    b.kernel.run_for(15 * SECOND)
    b.fp.send(b.frame())
    b.fm.complete(first)
    b.kernel.run_for(21 * SECOND)
    assert not b.ndis.report.warnings
    with expect_violation(b.ndis, "S6-02"):
        b.kernel.run_for(2 * SECOND)
    b.fm.complete_all()


@pytest.mark.rule("OI-02")
@pytest.mark.mutant("OI-02")
def test_mutant_never_completes_an_oid_request(bench):
    b = bench()
    b.fm.hold_oids = True
    request = ndis.query(Oid.OID_GEN_VENDOR_ID, 4)
    b.kernel.start(b.fp.request(request))
    b.kernel.run_for(11 * SECOND)
    with expect_violation(b.ndis, "OI-02") as found:
        b.kernel.run_for(2 * SECOND)
    assert "within 12 s" in str(found[0])
    b.fm.complete_oid(NdisStatus.FAILURE)


@pytest.mark.rule("ST-06")
@pytest.mark.mutant("ST-06")
def test_mutant_never_completes_a_pause(bench):
    b = bench(miniport=ForgetfulMiniport)
    b.kernel.start(ndis.pause_adapter(b.fm.adapter))
    with expect_violation(b.ndis, "ST-06") as found:
        b.kernel.run_for(11 * SECOND)
    assert found[0].time_ns == 10 * SECOND


@pytest.mark.rule("ST-15")
@pytest.mark.mutant("ST-15")
def test_mutant_never_completes_a_reset(bench):
    b = bench(miniport=ForgetfulMiniport)
    b.kernel.start(ndis.reset_adapter(b.fm.adapter))
    with expect_violation(b.ndis, "ST-15"):
        b.kernel.run_for(11 * SECOND)


@pytest.mark.rule("ST-11")
@pytest.mark.mutant("ST-11")
def test_mutant_protocol_never_answers_its_pause(bench):
    b = bench(protocol=HoardingProtocol)
    with expect_violation(b.ndis, "ST-11"), pytest.raises(RuntimeError, match="deadlock"):
        b.run(ndis.pause_adapter(b.fm.adapter))


@pytest.mark.rule("ST-22")
@pytest.mark.mutant("ST-22")
def test_mutant_protocol_never_ends_its_unbind(bench):
    b = bench(protocol=StuckProtocol)
    with expect_violation(b.ndis, "ST-22"), pytest.raises(RuntimeError, match="deadlock"):
        b.run(ndis.unbind_protocol(b.fp.binding))


def test_a_watchdog_keeps_nobody_busy_and_can_be_cancelled(bench):
    b = bench()
    fired = []
    kept, cancelled = (b.kernel.set_watchdog(SECOND, lambda n=n: fired.append(n)) for n in range(2))
    b.run()
    assert b.kernel.now_ns() == 0
    assert cancelled.cancel()
    b.kernel.run_for(2 * SECOND)
    assert (fired, kept.fired) == ([0], True)


def test_a_watchdog_comes_before_a_later_event(bench):
    b = bench()
    order = []
    b.kernel.set_watchdog(SECOND, lambda: order.append("watchdog"))
    b.kernel.call_at(2 * SECOND, lambda: order.append("event"))
    b.run()
    assert order == ["watchdog", "event"]


def test_with_verify_off_nothing_is_watched(bench):
    b = bench(verify="off", miniport=ForgetfulMiniport)
    b.fp.send(b.frame())
    b.kernel.start(ndis.pause_adapter(b.fm.adapter))
    b.kernel.run_for(100 * SECOND)
    b.ndis.report.violations.append(None)  # the bench is not stopped: its pause never ends
