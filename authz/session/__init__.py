"""Sessions over HTTP: one's own, and, for those who look after them, other people's."""
