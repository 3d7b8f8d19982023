"""Derive public events from the audit chain: what leaves the service, and who is told."""
