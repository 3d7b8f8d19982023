"""What answers of registers of others and a sanctions list mean for certificates."""
