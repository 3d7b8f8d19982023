"""Mail what happens to certificates to buyers without an account, who follow a certificate, a holder or a heading."""
