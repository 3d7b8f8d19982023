"""Render documents of certificates: QR codes, labels, QR tokens, the signed PDF certificate."""
