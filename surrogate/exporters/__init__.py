"""Files made from a comparison: video, still, figures, tables, arrays, a one-file report."""
