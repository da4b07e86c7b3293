# SPDX-License-Identifier: Apache-2.0
"""Signalling between call managers (docs/signalling.md): the codec; the machine of the stand-alone one is `control`."""

from hilnic.signalling.causes import Cause
from hilnic.signalling.channel import SIGNALLING_FLOW
from hilnic.signalling.codec import (
    ELEMENTS_TYPE,
    LONGEST_MESSAGE,
    PROTOCOL_DISCRIMINATOR,
    VERSION,
    DecodeError,
    Malformed,
    Packet,
    decode,
    decode_elements,
    encode,
    encode_elements,
)
from hilnic.signalling.contract import UNSPECIFIED, Flow, Service, TrafficContract
from hilnic.signalling.elements import (
    CalledAddress,
    CallingAddress,
    CallState,
    CauseElement,
    ConnectionIdentifier,
    EndpointReference,
    GroupAddress,
    Incarnation,
    UserData,
    Versions,
)
from hilnic.signalling.messages import Header, Message, MessageType

__all__ = [
    "ELEMENTS_TYPE",
    "LONGEST_MESSAGE",
    "PROTOCOL_DISCRIMINATOR",
    "SIGNALLING_FLOW",
    "UNSPECIFIED",
    "VERSION",
    "CallState",
    "CalledAddress",
    "CallingAddress",
    "Cause",
    "CauseElement",
    "ConnectionIdentifier",
    "DecodeError",
    "EndpointReference",
    "Flow",
    "GroupAddress",
    "Header",
    "Incarnation",
    "Malformed",
    "Message",
    "MessageType",
    "Packet",
    "Service",
    "TrafficContract",
    "UserData",
    "Versions",
    "decode",
    "decode_elements",
    "encode",
    "encode_elements",
]
