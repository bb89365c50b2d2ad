"""The widgets of the review: thin, they show the reviewer's state and pass on what is pressed."""
