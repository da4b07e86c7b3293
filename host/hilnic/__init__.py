# SPDX-License-Identifier: Apache-2.0
"""hilnic: a Verilog NIC in a simulator, and above it in Python its driver, an NDIS core and protocol drivers."""

__version__ = "0.1.0"
