"""Read registers of others: files that they drop, or addresses that are asked. What they answer is kept."""
