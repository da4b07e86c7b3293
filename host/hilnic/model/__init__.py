# SPDX-License-Identifier: Apache-2.0
"""The software twin of nic_1g: the same contract (docs/nic.md) behind the same Device port, without a simulator."""
