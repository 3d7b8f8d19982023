"""Implement `mik admin`: operate the service on its machine."""
