# SPDX-License-Identifier: Apache-2.0
"""The simulator's edge: building and starting the simulators, and the Device, Clock and Link ports over cocotb."""
