"""From a listing to judged objects: which are read, and what their contents are worth."""
