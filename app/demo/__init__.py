"""Play the demo scenario over HTTP: companies, applications, decisions, certificates and checks, all invented."""
