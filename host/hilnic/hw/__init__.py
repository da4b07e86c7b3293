# SPDX-License-Identifier: Apache-2.0
"""The contract below the miniport: clock, host memory, Device port, timing, event trace and the simulated CPU."""
