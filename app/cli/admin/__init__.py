"""`mik admin`: what an operator does on the machine of the service."""
