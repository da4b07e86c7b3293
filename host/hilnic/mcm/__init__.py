# SPDX-License-Identifier: Apache-2.0
"""The integrated call manager (MCM): what a connection-oriented miniport has to be its own call manager.

`station` speaks docs/signalling.md on its own terms: of the stand-alone call manager's code it shares only the codec.
`half` is what NDIS sees of it, `half5` in the words of NDIS 5. A miniport lends it a hand for the hardware
(`half.Board`).
"""
