"""Tell programs of companies what happens, by signed requests to addresses that they name (Standard Webhooks)."""
