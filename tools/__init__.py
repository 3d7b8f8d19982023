"""What maintainers run beside the service: documents that are generated, and what belongs to a release."""
