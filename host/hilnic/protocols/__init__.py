# SPDX-License-Identifier: Apache-2.0
"""Protocol drivers above NDIS: raw frames, IPv4 with its helpers, a bridge to a Linux TAP."""
