"""Pages for people, grouped by audience as the API is."""
