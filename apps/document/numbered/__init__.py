"""Copy numbers 份号: each copy of a classified document has its own, and a register tells who has which and what became of it."""
