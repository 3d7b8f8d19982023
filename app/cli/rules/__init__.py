"""Implement `mik rules`: test the rules of a mark on cases, and show the effect of a change."""
