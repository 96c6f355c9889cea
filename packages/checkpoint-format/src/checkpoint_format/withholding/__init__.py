"""Who is withheld: the list beside a checkpoint, and what is left of a checkpoint by it."""
