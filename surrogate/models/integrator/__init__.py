"""How does a learned pair law move particles? By rounds of two-body steps."""
