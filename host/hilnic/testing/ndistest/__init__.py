# SPDX-License-Identifier: Apache-2.0
"""`hilnic ndistest`: what a miniport has to stand, on one card (`ONE_CARD`) and on two that are joined (`TWO_CARDS`).

A case is data, a name and a sentence, and a coroutine over a `Bed`; it awaits nothing but simulated time. A bed is
made by whoever has cards: apps/ndistest_beds.py makes it of the twin, tb/ndistest_session.py of the Verilog.
"""

from hilnic.testing.ndistest.bed import Bed, Case, Outcome, Slot, run_case
from hilnic.testing.ndistest.one_card import ONE_CARD
from hilnic.testing.ndistest.two_cards import TWO_CARDS

__all__ = ["ONE_CARD", "SUITES", "TWO_CARDS", "Bed", "Case", "Outcome", "Slot", "run_case"]

SUITES: dict[str, tuple[Case, ...]] = {"1c": ONE_CARD, "2c": TWO_CARDS}
