"""The tables of results/ that are made from published latencies. See docs/file-formats.md."""
