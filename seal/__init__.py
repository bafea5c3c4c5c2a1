"""Seals: their register, and the register of their uses."""
