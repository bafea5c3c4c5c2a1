"""收文办理: what a receiving organ does with the copy that it has signed for (Regulation 2012, art. 24)."""
