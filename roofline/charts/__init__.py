"""Charts of ceilings.json: one HTML page, and each chart as SVG and PNG. See docs/roofline.md."""
