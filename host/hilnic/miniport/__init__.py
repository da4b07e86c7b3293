# SPDX-License-Identifier: Apache-2.0
"""The NDIS 6 miniport driver of nic_1g.

Reading order: driver, adapter, ring, tx, rx, interrupt; then hardware, filter, link, oids.
"""
