# SPDX-License-Identifier: Apache-2.0
"""What the signalling VC may use of the line, and what the line keeps for it (docs/signalling.md)."""

from __future__ import annotations

from hilnic.signalling.codec import LONGEST_MESSAGE
from hilnic.signalling.contract import Flow, Service

__all__ = ["SIGNALLING_FLOW"]

SIGNALLING_FLOW = Flow(rate=5_000_000, burst=262_144, max_sdu=LONGEST_MESSAGE, service=Service.GUARANTEED)
"""Rate: one call after the other, as fast as two hosts make and release them. Burst: 1024 calls begun at once."""
