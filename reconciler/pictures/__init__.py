"""Pictures as PNG and SVG: the only home of matplotlib."""
