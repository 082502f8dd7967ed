"""Charts of predictions beside measurements. See docs/file-formats.md."""
