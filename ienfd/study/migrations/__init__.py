"""The history of the tables of a study, brought up to date when it is opened."""
