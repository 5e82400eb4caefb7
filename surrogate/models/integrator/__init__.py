"""The flagship: a learned pair law, moved by rounds of two-body steps."""
