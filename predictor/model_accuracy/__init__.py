"""How far predictions of whole models are from published measurements: docs/model-accuracy.md."""
