"""`mik rules`: test the rules of a mark on cases, and see what a change of them would do."""
