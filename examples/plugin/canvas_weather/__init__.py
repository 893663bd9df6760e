"""A plug-in for Canvas: the weather."""
