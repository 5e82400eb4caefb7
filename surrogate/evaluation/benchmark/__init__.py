"""Learned models beside opponents that know the law, at equal cost."""
