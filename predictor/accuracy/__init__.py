"""How far predictions are off published latencies: docs/accuracy.md."""
