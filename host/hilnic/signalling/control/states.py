# SPDX-License-Identifier: Apache-2.0
"""States, inputs and actions of the signalling machine: of a call's leg, of a party's leg, of the link to a peer.

Call states have the names and numbers of Q.2931 where it has them, party states those of Q.2971.
"""

from enum import Enum, IntEnum


class LegState(IntEnum):
    """A leg is what two stations have of one call; the numbers go into STATUS."""

    NULL = 0
    CALL_INITIATED = 1
    OUTGOING_CALL_PROCEEDING = 3
    CONNECT_REQUEST = 8
    INCOMING_CALL_PROCEEDING = 9
    ACTIVE = 10
    RELEASE_REQUEST = 11
    RELEASE_INDICATION = 12
    CONNECT_INDICATION = 13
    MODIFY_REQUEST = 14
    MODIFY_RECEIVED = 15
    ADD_PARTY_INITIATED = 33
    PARTY_ALERTING_RECEIVED = 34
    ADD_PARTY_RECEIVED = 35
    PARTY_CONNECT_REQUEST = 36
    DROP_PARTY_INITIATED = 37
    DROP_PARTY_RECEIVED = 38
    PARTY_ACTIVE = 39


class LinkState(IntEnum):
    """The link to one peer; the numbers go into STATUS with the global call reference."""

    DOWN = 0
    RESTART_REQUEST = 61
    UP = 62
    ENQUIRY = 63


class LegInput(Enum):
    """What a leg hears: primitives of its owner, messages of the peer, its timer."""

    SETUP_REQUEST = "Setup request"
    SETUP_RESPONSE = "Setup response"
    SETUP_COMPLETE_REQUEST = "Setup complete request"
    RELEASE_REQUEST = "Release request"
    RELEASE_RESPONSE = "Release response"
    MODIFY_REQUEST = "Modify request"
    MODIFY_RESPONSE = "Modify response"
    MODIFY_REFUSAL = "Modify refusal"
    SETUP = "SETUP"
    CALL_PROCEEDING = "CALL PROCEEDING"
    CONNECT = "CONNECT"
    CONNECT_ACKNOWLEDGE = "CONNECT ACKNOWLEDGE"
    RELEASE = "RELEASE"
    RELEASE_COMPLETE = "RELEASE COMPLETE"
    STATUS = "STATUS"
    STATUS_NULL = "STATUS (Null)"
    STATUS_ENQUIRY = "STATUS ENQUIRY"
    MODIFY_REQUESTED = "MODIFY REQUEST"
    MODIFY_REPEATED = "MODIFY REQUEST again"
    MODIFY_ACKNOWLEDGE = "MODIFY ACKNOWLEDGE"
    MODIFY_REJECT = "MODIFY REJECT"
    ADD_PARTY = "ADD PARTY"
    PARTY_ALERTING = "PARTY ALERTING"
    ADD_PARTY_ACKNOWLEDGE = "ADD PARTY ACKNOWLEDGE"
    ADD_PARTY_REJECT = "ADD PARTY REJECT"
    DROP_PARTY = "DROP PARTY"
    DROP_PARTY_ACKNOWLEDGE = "DROP PARTY ACKNOWLEDGE"
    UNANSWERED = "no answer"
    PEER_RESTARTED = "peer restarted"
    LINK_FAILED = "link failed"


class LinkInput(Enum):
    """What a link hears."""

    WANTED = "leg wanted"
    RESTART = "RESTART, new"
    RESTART_REPEATED = "RESTART, known"
    RESTART_ACKNOWLEDGE = "RESTART ACKNOWLEDGE"
    NO_COMMON_VERSION = "no version in common"
    STRANGE_TAG = "another tag"
    HEARD = "any good message"
    QUIET = "T309 expired"
    STATUS_ENQUIRY = "STATUS ENQUIRY"
    UNANSWERED = "no answer"


class Action(Enum):
    """What a transition does, in the order of the table; `machine` has a method for each."""

    SEND_SETUP = "send SETUP"
    SEND_CALL_PROCEEDING = "send CALL PROCEEDING"
    SEND_CONNECT = "send CONNECT"
    SEND_CONNECT_ACKNOWLEDGE = "send CONNECT ACKNOWLEDGE"
    SEND_RELEASE = "send RELEASE"
    SEND_RELEASE_COMPLETE = "send RELEASE COMPLETE"
    SEND_STATUS = "send STATUS"
    SEND_MODIFY_REQUEST = "send MODIFY REQUEST"
    SEND_MODIFY_ACKNOWLEDGE = "send MODIFY ACKNOWLEDGE"
    SEND_MODIFY_REJECT = "send MODIFY REJECT"
    SEND_ADD_PARTY = "send ADD PARTY"
    SEND_PARTY_ALERTING = "send PARTY ALERTING"
    SEND_ADD_PARTY_ACKNOWLEDGE = "send ADD PARTY ACKNOWLEDGE"
    SEND_DROP_PARTY = "send DROP PARTY"
    SEND_DROP_PARTY_ACKNOWLEDGE = "send DROP PARTY ACKNOWLEDGE"
    REPEAT = "send the last again"
    COUNT_ANEW = "count anew"
    SETUP_INDICATION = "Setup indication"
    SETUP_CONFIRM = "Setup confirm"
    SETUP_COMPLETE_INDICATION = "Setup complete indication"
    PROCEEDING_INDICATION = "Proceeding indication"
    RELEASE_INDICATION = "Release indication"
    RELEASE_CONFIRM = "Release confirm"
    MODIFY_INDICATION = "Modify indication"
    MODIFY_CONFIRM = "Modify confirm"
    FAIL_LINK = "fail the link"
    SEND_RESTART = "send RESTART"
    SEND_RESTART_ACKNOWLEDGE = "send RESTART ACKNOWLEDGE"
    SEND_LINK_ENQUIRY = "send STATUS ENQUIRY"
    SEND_LINK_STATUS = "send STATUS (link)"
    LEARN_PEER = "note the peer's incarnation"
    START_LEGS = "start waiting legs"
    RESTART_LEGS = "end the legs of the peer's former incarnation"
    END_LEGS = "end all legs"
    NEW_INCARNATION = "take a new incarnation"
