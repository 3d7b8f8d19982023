"""What people hold in their hands: the stamp, QR codes, labels, the signed paper."""
