"""Personal data of entries, beside their leaves: opened for readers, held against the commitments, withheld, erased."""
