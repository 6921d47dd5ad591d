"""What stations are believed to hold, folded out of what they say; it knows nothing of what they should hold."""
