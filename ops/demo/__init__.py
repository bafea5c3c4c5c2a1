"""The miniature province, and the main job done on it."""
