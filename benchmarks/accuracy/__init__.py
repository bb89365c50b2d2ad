"""How well ienfd counts: sections of exact truth, analyzed as a user would, against that truth."""
