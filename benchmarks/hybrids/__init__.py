"""Real skin with drawn fibers: what the analysis does where no generator made the tissue."""
