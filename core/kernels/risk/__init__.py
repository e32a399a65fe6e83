"""Kernels of the risk measures: one pass over the data, strict IEEE, no allocation in the loop."""
