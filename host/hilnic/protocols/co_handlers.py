# SPDX-License-Identifier: Apache-2.0
"""What the client hears of its calls and parties, and what that does to its connections."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hilnic.ndis import NdisStatus
from hilnic.ndis.condis import CallParameters, PartyHandle
from hilnic.protocols.co_connection import Connection, ConnectionState, Party

if TYPE_CHECKING:
    from hilnic.protocols.co_client import Listener


def delete_vc(connection: Connection) -> NdisStatus:
    """ProtocolCoDeleteVc: an incoming call is over."""
    connection.note("delete VC")
    connection.binding.connections.remove(connection)
    if connection.state is not ConnectionState.CLOSED:
        connection.state = ConnectionState.CLOSED
        connection.wake()
    return NdisStatus.SUCCESS


def make_call_complete(
    connection: Connection, status: NdisStatus, party: PartyHandle | None, parameters: CallParameters
) -> None:
    """ProtocolClMakeCallComplete."""
    del party
    connection.note(f"make call complete {status.name}")
    if status is NdisStatus.SUCCESS:
        connection.parameters = parameters
        if connection.state is ConnectionState.CALLING:
            connection.state = ConnectionState.OPEN
    connection.answered("call", status)


def incoming_call(listener: Listener, connection: Connection, parameters: CallParameters) -> NdisStatus:
    """ProtocolClIncomingCall: the listener decides."""
    connection.note(f"incoming call {listener.selector!r}")
    connection.parameters = parameters
    return NdisStatus.SUCCESS if listener.on_call(connection) else NdisStatus.NOT_ACCEPTED


def call_connected(connection: Connection) -> None:
    """ProtocolClCallConnected: data may flow."""
    connection.note("call connected")
    if connection.state is ConnectionState.OFFERED:
        connection.state = ConnectionState.OPEN
    connection.wake()


def close_call_complete(connection: Connection, status: NdisStatus, party: Party | None) -> None:
    """ProtocolClCloseCallComplete."""
    del party
    connection.note(f"close call complete {status.name}")
    connection.closed()


def modify_complete(connection: Connection, status: NdisStatus, parameters: CallParameters) -> None:
    """ProtocolClModifyCallQoSComplete."""
    connection.note(f"modify complete {status.name}")
    if status is NdisStatus.SUCCESS:
        connection.parameters = parameters
    connection.answered("modify", status)


def qos_change(connection: Connection, parameters: CallParameters) -> None:
    """ProtocolClIncomingCallQoSChange."""
    connection.note("incoming QoS change")
    connection.parameters = parameters
    if connection.on_change is not None:
        connection.on_change(parameters)
    connection.wake()


def incoming_close(connection: Connection, status: NdisStatus, data: bytes) -> None:
    """ProtocolClIncomingCloseCall."""
    connection.note(f"incoming close call {status.name} {data!r}")
    connection.left(status, data)


def add_party_complete(
    party: Party, status: NdisStatus, handle: PartyHandle | None, parameters: CallParameters
) -> None:
    """ProtocolClAddPartyComplete."""
    del parameters
    party.connection.note(f"add party complete {status.name}")
    party.handle = handle
    party.connection.answered(party, status)


def drop_party_complete(party: Party, status: NdisStatus) -> None:
    """ProtocolClDropPartyComplete."""
    party.connection.note(f"drop party complete {status.name}")
    party.connection.answered(party, status)


def incoming_drop(party: Party, status: NdisStatus, data: bytes) -> None:
    """ProtocolClIncomingDropParty: it has gone, and is dropped."""
    connection = party.connection
    connection.note(f"incoming drop party {status.name} {data!r}")
    party.ended = status
    if connection.on_party is not None:
        connection.on_party(party, status, data)

    async def drop() -> None:
        if party not in connection.parties:
            return
        if len(connection.parties) > 1:
            await connection.drop_party(party)
        else:
            connection.left(status, data)  # the others have been dropped meanwhile: the last one ends the call (CC-18)

    connection.binding.start(drop)
