# SPDX-License-Identifier: Apache-2.0
"""Frames as bytes: protocol headers, links and captures; knows nothing of the NIC."""
