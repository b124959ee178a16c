"""What the store, a replay, a comparison and the scrubber cost: ``python -m benchmarks``."""
