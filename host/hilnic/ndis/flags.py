# SPDX-License-Identifier: Apache-2.0
"""Flag words, reasons and small enumerations, with the Windows numbers.

The class stands for the C prefix and the member for the rest: `SendFlags.CHECK_FOR_LOOPBACK` is
NDIS_SEND_FLAGS_CHECK_FOR_LOOPBACK. Flags are IntEnum, not IntFlag: `a | b` is then a plain int, which is what the data
path passes around (an IntFlag costs a microsecond per operation).
"""

from __future__ import annotations

from enum import IntEnum


class SendFlags(IntEnum):
    """NDIS_SEND_FLAGS_*."""

    DISPATCH_LEVEL = 0x1
    CHECK_FOR_LOOPBACK = 0x2
    SINGLE_QUEUE = 0x4
    SWITCH_DESTINATION_GROUP = 0x10
    SWITCH_SINGLE_SOURCE = 0x20


class SendCompleteFlags(IntEnum):
    """NDIS_SEND_COMPLETE_FLAGS_*."""

    DISPATCH_LEVEL = 0x1
    SINGLE_QUEUE = 0x2
    SWITCH_SINGLE_SOURCE = 0x4


class ReceiveFlags(IntEnum):
    """NDIS_RECEIVE_FLAGS_*; STATUS_RESOURCES is the older name of RESOURCES (A4)."""

    DISPATCH_LEVEL = 0x1
    RESOURCES = 0x2
    STATUS_RESOURCES = 0x2
    SINGLE_ETHER_TYPE = 0x100
    SINGLE_VLAN = 0x200
    PERFECT_FILTERED = 0x400
    SINGLE_QUEUE = 0x800
    SHARED_MEMORY_INFO_VALID = 0x1000
    MORE_NBLS = 0x2000
    SWITCH_DESTINATION_GROUP = 0x4000
    SWITCH_SINGLE_SOURCE = 0x8000


class ReturnFlags(IntEnum):
    """NDIS_RETURN_FLAGS_*."""

    DISPATCH_LEVEL = 0x1
    SINGLE_QUEUE = 0x2
    SWITCH_SINGLE_SOURCE = 0x4


class NblFlags(IntEnum):
    """NDIS_NBL_FLAGS_*, the bits of NET_BUFFER_LIST.NblFlags."""

    SEND_READ_ONLY = 0x1
    RECV_READ_ONLY = 0x2
    HD_SPLIT = 0x100
    IS_IPV4 = 0x200
    IS_IPV6 = 0x400
    IS_TCP = 0x800
    IS_UDP = 0x1000
    SPLIT_AT_UPPER_LAYER_HEADER = 0x2000
    SPLIT_AT_UPPER_LAYER_PAYLOAD = 0x4000
    IS_LOOPBACK_PACKET = 0x8000
    CAPTURE_TIMESTAMP_ON_TX = 0x10000


class PacketFilter(IntEnum):
    """NDIS_PACKET_TYPE_*, the bits of OID_GEN_CURRENT_PACKET_FILTER."""

    DIRECTED = 0x1
    MULTICAST = 0x2
    ALL_MULTICAST = 0x4
    BROADCAST = 0x8
    SOURCE_ROUTING = 0x10
    PROMISCUOUS = 0x20
    SMT = 0x40
    ALL_LOCAL = 0x80
    GROUP = 0x1000
    ALL_FUNCTIONAL = 0x2000
    FUNCTIONAL = 0x4000
    MAC_FRAME = 0x8000
    NO_LOCAL = 0x10000


class MacOptions(IntEnum):
    """NDIS_MAC_OPTION_*."""

    COPY_LOOKAHEAD_DATA = 0x1
    RECEIVE_SERIALIZED = 0x2
    TRANSFERS_NOT_PEND = 0x4
    NO_LOOPBACK = 0x8
    FULL_DUPLEX = 0x10
    EOTX_INDICATION = 0x20
    PRIORITY_8021P = 0x40
    SUPPORTS_MAC_ADDRESS_OVERWRITE = 0x80
    RECEIVE_AT_DPC = 0x100
    VLAN_8021Q = 0x200


class MiniportAttributes(IntEnum):
    """NDIS_MINIPORT_ATTRIBUTES_*."""

    HARDWARE_DEVICE = 0x1
    NDIS_WDM = 0x2
    SURPRISE_REMOVE_OK = 0x4
    NOT_CO_NDIS = 0x8
    DO_NOT_BIND_TO_ALL_CO = 0x10
    NO_HALT_ON_SUSPEND = 0x20
    BUS_MASTER = 0x40
    CONTROLS_DEFAULT_PORT = 0x80
    NO_PAUSE_ON_SUSPEND = 0x100


class PauseReason(IntEnum):
    """NDIS_PAUSE_*: why the data path stops."""

    NDIS_INTERNAL = 0x1
    LOW_POWER = 0x2
    BIND_PROTOCOL = 0x4
    UNBIND_PROTOCOL = 0x8
    ATTACH_FILTER = 0x10
    DETACH_FILTER = 0x20
    FILTER_RESTART = 0x40
    MINIPORT_DEVICE_REMOVE = 0x80


class NdisMedium(IntEnum):
    """NDIS_MEDIUM: NdisMedium802_3 and its relatives."""

    MEDIUM_802_3 = 0
    MEDIUM_802_5 = 1
    FDDI = 2
    WAN = 3
    ATM = 8
    CO_WAN = 12
    LOOPBACK = 17
    IP = 19


class MediaConnectState(IntEnum):
    """NET_IF_MEDIA_CONNECT_STATE (NDIS 6)."""

    UNKNOWN = 0
    CONNECTED = 1
    DISCONNECTED = 2


class MediaState(IntEnum):
    """NDIS_MEDIA_STATE (NDIS 5): the values differ from MediaConnectState."""

    CONNECTED = 0
    DISCONNECTED = 1


class MediaDuplexState(IntEnum):
    """NET_IF_MEDIA_DUPLEX_STATE."""

    UNKNOWN = 0
    HALF = 1
    FULL = 2


class NetEvent(IntEnum):
    """NET_PNP_EVENT_CODE: what NDIS tells a protocol about a binding."""

    SET_POWER = 0
    QUERY_POWER = 1
    QUERY_REMOVE_DEVICE = 2
    CANCEL_REMOVE_DEVICE = 3
    RECONFIGURE = 4
    BIND_LIST = 5
    BINDS_COMPLETE = 6
    PNP_CAPABILITIES = 7
    PAUSE = 8
    RESTART = 9
    PORT_ACTIVATION = 10
    PORT_DEACTIVATION = 11
    IM_RE_ENABLE_DEVICE = 12


class DevicePnpEvent(IntEnum):
    """NDIS_DEVICE_PNP_EVENT: what NDIS tells a miniport about its device."""

    QUERY_REMOVED = 0
    REMOVED = 1
    SURPRISE_REMOVED = 2
    QUERY_STOPPED = 3
    STOPPED = 4
    POWER_PROFILE_CHANGED = 5
    FILTER_LIST_CHANGED = 6


class DevicePowerState(IntEnum):
    """NDIS_DEVICE_POWER_STATE: D0 works, D3 has lost everything."""

    UNSPECIFIED = 0
    D0 = 1
    D1 = 2
    D2 = 3
    D3 = 4


class HaltAction(IntEnum):
    """NDIS_HALT_ACTION: why MiniportHaltEx is called."""

    DEVICE_DISABLED = 0
    DEVICE_INSTANCE_DEINITIALIZED = 1
    DEVICE_POWERED_DOWN = 2
    DEVICE_SURPRISE_REMOVED = 3
    DEVICE_FAILED = 4
    DEVICE_INITIALIZATION_FAILED = 5
    DEVICE_STOPPED = 6


class ShutdownAction(IntEnum):
    """NDIS_SHUTDOWN_ACTION."""

    POWER_OFF = 0
    BUG_CHECK = 1


class NblInfo(IntEnum):
    """NDIS_NET_BUFFER_LIST_INFO: slot numbers of NET_BUFFER_LIST.NetBufferListInfo."""

    TCP_IP_CHECKSUM = 0
    IPSEC_V1 = 1
    TCP_LARGE_SEND = 2
    TCP_RECV_NO_PUSH = 2
    CLASSIFICATION_HANDLE = 3
    IEEE_8021Q = 4
    CANCEL_ID = 5
    MEDIA_SPECIFIC = 6
    FRAME_TYPE = 7
    PROTOCOL_ID = 7
    HASH_VALUE = 8
    HASH_INFO = 9
    WFP = 10
    IPSEC_V2_TUNNEL = 11
    IPSEC_V2_HEADER = 12
    CORRELATION_ID = 13
    FILTERING_INFO = 14
    MEDIA_SPECIFIC_EX = 15


NBL_INFO_SLOTS = 16


class RequestType(IntEnum):
    """NDIS_REQUEST_TYPE."""

    QUERY_INFORMATION = 0
    SET_INFORMATION = 1
    QUERY_STATISTICS = 2
    METHOD = 12


class NdisVersion(IntEnum):
    """Version a driver registers for: major and minor as in NDIS_MINIPORT_MAJOR_VERSION and its relatives."""

    NDIS_5_0 = 0x500
    NDIS_5_1 = 0x501
    NDIS_6_0 = 0x600
    NDIS_6_1 = 0x601
    NDIS_6_20 = 0x614
    NDIS_6_30 = 0x61E


SG_LIST_WRITE_TO_DEVICE = 0x1
"""NDIS_SG_LIST_WRITE_TO_DEVICE: the device reads the buffer (a send)."""

INDICATE_ALL_NBLS = 0xFFFFFFFF
"""NDIS_INDICATE_ALL_NBLS: no limit in NDIS_RECEIVE_THROTTLE_PARAMETERS."""

DEFAULT_PORT_NUMBER = 0
"""NDIS_DEFAULT_PORT_NUMBER."""
