"""Commands for companies: sign in to a service, and apply from a file."""
