"""Learning from reviewers: how sure a candidate is, by what people decided about others."""
