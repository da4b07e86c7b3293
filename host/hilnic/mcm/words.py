# SPDX-License-Identifier: Apache-2.0
"""Which messages belong where: of a call or a party, from which side, with an answer or without."""

from __future__ import annotations

from hilnic.signalling.messages import MessageType

__all__ = ["INVITATIONS", "INVITED", "INVITING", "OF_CALL", "OF_PARTY", "SILENT"]

_EITHER = {MessageType.CONNECT_ACKNOWLEDGE, MessageType.STATUS, MessageType.STATUS_ENQUIRY}
OF_CALL = _EITHER | {
    MessageType.SETUP,
    MessageType.CALL_PROCEEDING,
    MessageType.CONNECT,
    MessageType.RELEASE,
    MessageType.RELEASE_COMPLETE,
    MessageType.MODIFY_REQUEST,
    MessageType.MODIFY_ACKNOWLEDGE,
    MessageType.MODIFY_REJECT,
}
OF_PARTY = _EITHER | {
    MessageType.ADD_PARTY,
    MessageType.PARTY_ALERTING,
    MessageType.ADD_PARTY_ACKNOWLEDGE,
    MessageType.ADD_PARTY_REJECT,
    MessageType.DROP_PARTY,
    MessageType.DROP_PARTY_ACKNOWLEDGE,
}
INVITATIONS = {MessageType.SETUP, MessageType.ADD_PARTY}
INVITING = INVITATIONS | {MessageType.CONNECT_ACKNOWLEDGE, MessageType.MODIFY_REQUEST}
"""What only the side that invites says."""
INVITED = {
    MessageType.CALL_PROCEEDING,
    MessageType.CONNECT,
    MessageType.PARTY_ALERTING,
    MessageType.ADD_PARTY_ACKNOWLEDGE,
    MessageType.ADD_PARTY_REJECT,
    MessageType.MODIFY_ACKNOWLEDGE,
    MessageType.MODIFY_REJECT,
}
"""What only the side that is invited says."""
SILENT = {
    MessageType.RELEASE_COMPLETE,
    MessageType.ADD_PARTY_REJECT,
    MessageType.DROP_PARTY_ACKNOWLEDGE,
    MessageType.STATUS,
}
"""Never answered."""
