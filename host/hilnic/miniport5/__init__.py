# SPDX-License-Identifier: Apache-2.0
"""Drivers of NDIS 5.1 for the NIC.

"packets"      deserialized, full packets: NdisMIndicateReceivePacket
"lookahead"    serialized: NdisMEthIndicateReceive, MiniportTransferData
"wan"          PPP over Ethernet: NdisMWanIndicateReceive, MiniportWanSend
"""
