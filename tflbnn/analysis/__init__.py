"""What a network costs and what it does: counts, reports."""
