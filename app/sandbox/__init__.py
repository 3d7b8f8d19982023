"""The sandbox: a second installation in the process of the service, whose staff are robots."""
