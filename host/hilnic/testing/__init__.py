# SPDX-License-Identifier: Apache-2.0
"""The test kit: a functional miniport and protocol, a bench to put them on, and what rule tests need besides."""

from hilnic.testing.bench import PEER, NdisBench
from hilnic.testing.bench5 import Bench5
from hilnic.testing.expect import expect_violation
from hilnic.testing.filter import FunctionalFilter
from hilnic.testing.frames import build_nbl, ethernet, free_nbl
from hilnic.testing.kernel import VirtualKernel, VirtualMapper
from hilnic.testing.miniport import MAC_ADDRESS, FunctionalMiniport
from hilnic.testing.miniport5 import FunctionalMiniport5
from hilnic.testing.protocol import FunctionalProtocol
from hilnic.testing.protocol5 import FunctionalProtocol5

__all__ = [
    "MAC_ADDRESS",
    "PEER",
    "Bench5",
    "FunctionalFilter",
    "FunctionalMiniport",
    "FunctionalMiniport5",
    "FunctionalProtocol",
    "FunctionalProtocol5",
    "NdisBench",
    "VirtualKernel",
    "VirtualMapper",
    "build_nbl",
    "ethernet",
    "expect_violation",
    "free_nbl",
]
