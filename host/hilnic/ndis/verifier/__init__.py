# SPDX-License-Identifier: Apache-2.0
"""The verifier: watches every edge of the NDIS API and names who broke which rule.

    ledger.py   V1 one owner per object, V4 exactly once, V5 counts, V10 scope of RESOURCES
    batch*.py   `fast`: the same for the lists of one call together, as long as they are ordinary
    shadow.py   V2 what a list looked like when it was handed over; V3 poison when its validity ends
    access.py   `full` only: every attribute access is checked against the owner
    leaks.py    V9 what is left at the end, with the line that allocated it
    monitor.py  V13 hooks for descriptor rings and DMA, called by a miniport or a bus model
    wire_watch.py  V14 what passes a miniport's upper edge, for a bench with a tap on the wire (testing/wire_oracle.py)
    report.py   V15 violations: raised, or collected where a test expects them

V6 (state machines) lies where the states are: adapter.py and binding.py.
"""
