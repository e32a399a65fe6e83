"""Risk and performance, offline and off the loop: pure functions over kernels, nothing that waits or remembers."""
