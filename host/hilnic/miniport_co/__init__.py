# SPDX-License-Identifier: Apache-2.0
"""The NIC's connection-oriented miniport: VCs beside the connectionless path, for both data versions."""
