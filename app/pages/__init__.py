"""Pages for people. START HERE: `rendering.py` puts every page together."""
