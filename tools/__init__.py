"""Generate documents and release files for maintainers."""
