"""How often the interval of a biopsy's density holds the density, and how wide it is."""
