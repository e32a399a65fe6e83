"""The deterministic engine: ``step(state, event) -> effects``. No I/O, no clock, no randomness, no globals."""
