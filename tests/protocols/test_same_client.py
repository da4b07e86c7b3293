# SPDX-License-Identifier: Apache-2.0
"""A client cannot tell a stand-alone call manager from an integrated one (CC-23): the same suite, the same trace.

Clients, call managers and miniports are of NDIS 5 or 6, in all twelve combinations.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path

import pytest

from hilnic.protocols.co_client import CallFailed, Qos
from hilnic.signalling import CalledAddress

from .co_lan import FAST, INTEGRATED, KINDS, STAND_ALONE, Kind, Lan

Scenario = Callable[[Lan], None]
BIG = Qos(rate=95_000_000, burst=4000, max_sdu=1500)


def call_and_close(lan: Lan) -> None:
    one, other = lan.open(data=b"hello")
    one.send(b"question", b"and another")
    other.send(b"answer")
    lan.lan.run_for(1)
    lan.lan.run(one.close(b"bye"))


def closed_by_the_called_side(lan: Lan) -> None:
    _, other = lan.open()
    lan.lan.run(other.close(b"enough"))


def refused_by_the_client(lan: Lan) -> None:
    lan.accept = lambda connection: False
    with pytest.raises(CallFailed):
        lan.open()


def nobody_at_the_selector(lan: Lan) -> None:
    with pytest.raises(CallFailed):
        lan.lan.run(lan.clients[0].open(lan.lan.hosts[1].address, b"nobody", FAST))


def nobody_at_the_station(lan: Lan) -> None:
    with pytest.raises(CallFailed):
        lan.lan.run(lan.clients[0].open(bytes.fromhex("02484e0000ee"), b"there", FAST))


def too_much_for_the_line(lan: Lan) -> None:
    lan.open(sends=BIG, receives=BIG)
    for sends, receives in ((BIG, FAST), (FAST, BIG)):
        with pytest.raises(CallFailed):
            lan.open(sends=sends, receives=receives)
    lan.open(sends=BIG, round_down=True)


def changes(lan: Lan) -> None:
    one, other = lan.open()
    lan.lan.run(one.change(BIG, FAST))
    lan.open(receives=Qos(rate=60_000_000))
    with pytest.raises(CallFailed):
        lan.lan.run(one.change(FAST, BIG))
    with pytest.raises(CallFailed):
        lan.lan.run(other.change(FAST, FAST))


def link_loss(lan: Lan) -> None:
    lan.open()
    lan.lan.cut.add(lan.lan.hosts[1])
    lan.lan.run_for(30)
    lan.lan.cut.clear()
    lan.open()


def saps(lan: Lan) -> None:
    lan.listen(1)
    for selector in (b"there", b"", bytes(40)):
        with pytest.raises(CallFailed):
            lan.clients[1].listen(selector, lan.accept)
    lan.open()
    lan.clients[1].stop_listening(b"there")
    with pytest.raises(CallFailed):
        lan.lan.run(lan.clients[0].open(lan.lan.hosts[1].address, b"there", FAST))


def multipoint(lan: Lan) -> None:
    for number in (1, 2, 3):
        lan.listen(number)
    addresses = [host.address for host in lan.lan.hosts]
    root = lan.lan.run(lan.clients[0].open_multipoint(addresses[1:3], b"there", FAST))
    root.send(b"news")
    lan.lan.run(root.add_party(CalledAddress(addresses[3], b"there")))
    with pytest.raises(CallFailed):
        lan.lan.run(root.add_party(CalledAddress(addresses[3], b"there")))
    lan.lan.run(root.drop_party(root.parties[0], b"out"))
    lan.lan.run_for(1)
    for party in lan.accepted[1:]:
        lan.lan.run(party.close(b"tired"))
        lan.lan.run_for(1)


SCENARIOS: list[Scenario] = [
    call_and_close,
    closed_by_the_called_side,
    refused_by_the_client,
    nobody_at_the_selector,
    nobody_at_the_station,
    too_much_for_the_line,
    changes,
    link_loss,
    saps,
    multipoint,
]


def traces(kind: Kind, scenario: Scenario, slow_ns: int) -> list[list[list[str]]]:
    """What each host's client hears of each connection in the scenario, without handles and times."""
    lan = Lan([kind] * 4, slow_ns)
    scenario(lan)
    for client in lan.clients:  # one after the other: whose close is first is no question of the call manager
        lan.lan.run_for(5)
        lan.lan.run(client.leave())
    lan.stop()
    return [list(heard.values()) for heard in lan.heard]


@pytest.mark.rule("CC-23")
@pytest.mark.parametrize("slow_ns", [0, 3000], ids=["at once", "pending"])
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_a_client_hears_the_same_of_every_call_manager_in_every_version(scenario: Scenario, slow_ns: int) -> None:
    every = [*STAND_ALONE, *INTEGRATED]
    reference, *others = KINDS.values() if slow_ns else every
    expected = traces(reference, scenario, slow_ns)
    assert sum(len(heard) for of_host in expected for heard in of_host) > 0
    for kind in others:
        assert traces(kind, scenario, slow_ns) == expected, str(kind)


def imported(folder: Path) -> set[str]:
    """All modules that the modules of a folder import."""
    names: set[str] = set()
    for file in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module:
                names.add(node.module)
            elif isinstance(node, ast.Import):
                names.update(alias.name for alias in node.names)
    return names


@pytest.mark.rule("CC-22")
def test_the_two_kinds_share_no_code_above_the_codec(project: Path) -> None:
    host = project / "host" / "hilnic"
    codec = {f"hilnic.signalling.{file.stem}" for file in (host / "signalling").glob("*.py")} | {"hilnic.signalling"}
    used = {name for name in imported(host / "mcm") if name.startswith("hilnic.")}
    others = {name for name in used if not name.startswith(("hilnic.ndis", "hilnic.mcm"))}
    assert others <= codec
    assert not any(name.startswith("hilnic.signalling.control") for name in used)
    assert not any("mcm" in name for name in imported(host / "signalling") | imported(host / "protocols"))
