"""Pages for people, grouped by audience as the API is. START HERE: `frame.py` puts every page together."""
