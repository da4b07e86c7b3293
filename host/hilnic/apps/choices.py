# SPDX-License-Identifier: Apache-2.0
"""What the options of `hilnic` choose from."""

import enum


class Simulator(enum.StrEnum):
    """Who runs the Verilog."""

    ICARUS = "icarus"
    VERILATOR = "verilator"


class Ends(enum.StrEnum):
    """What stands at the NIC's ports: our Verilog transactors, or the independent models of cocotbext."""

    HDL = "hdl"
    COCOTBEXT = "cocotbext"


class Way(enum.StrEnum):
    """The way of a frame through the NIC."""

    TX = "tx"
    RX = "rx"


class Flow(enum.StrEnum):
    """The traffic of a measurement."""

    TX = "tx"
    RX = "rx"
    BOTH = "both"
    ROUNDTRIP = "roundtrip"


class Verify(enum.StrEnum):
    """How much the NDIS verifier checks."""

    OFF = "off"
    FAST = "fast"
    FULL = "full"


class Suite(enum.StrEnum):
    """A suite of `ndistest`."""

    ONE_CARD = "1c"
    TWO_CARDS = "2c"


class CardKind(enum.StrEnum):
    """What a miniport under test finds in its resources."""

    NIC = "nic"
    PORT = "port"


class Miniport(enum.StrEnum):
    """A driver of the NIC."""

    NDIS_6 = "6"
    NDIS_5 = "5"
    NDIS_5_LOOKAHEAD = "5-lookahead"


class Protocol(enum.StrEnum):
    """The NDIS version of the protocol drivers."""

    NDIS_6 = "6"
    NDIS_5 = "5"


class CallManager(enum.StrEnum):
    """Where the call manager is."""

    STAND_ALONE = "stand-alone"
    INTEGRATED = "integrated"


class Bench(enum.StrEnum):
    """What is measured."""

    NIC = "nic"
    NDIS = "ndis"
    CONDIS = "condis"


class Plot(enum.StrEnum):
    """What is drawn."""

    RATES = "rates"
