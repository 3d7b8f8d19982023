"""Compare the names of companies with a sanctions list; a person decides each resemblance."""
