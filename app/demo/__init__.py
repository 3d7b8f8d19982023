"""Run the demo scenario over HTTP: companies, applications, decisions, certificates, verifications; all invented."""
