# SPDX-License-Identifier: Apache-2.0
"""The test kit: a functional miniport and protocol, a bench to put them on, and what rule tests need besides."""

from hilnic.testing.bench import PEER, NdisBench
from hilnic.testing.expect import expect_violation
from hilnic.testing.filter import FunctionalFilter
from hilnic.testing.frames import build_nbl, ethernet, free_nbl
from hilnic.testing.kernel import VirtualKernel, VirtualMapper
from hilnic.testing.miniport import MAC_ADDRESS, FunctionalMiniport
from hilnic.testing.protocol import FunctionalProtocol

__all__ = [
    "MAC_ADDRESS",
    "PEER",
    "FunctionalFilter",
    "FunctionalMiniport",
    "FunctionalProtocol",
    "NdisBench",
    "VirtualKernel",
    "VirtualMapper",
    "build_nbl",
    "ethernet",
    "expect_violation",
    "free_nbl",
]
