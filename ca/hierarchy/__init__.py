"""The hierarchy as it stands: generations of every authority, and the ways from each to an anchor."""
