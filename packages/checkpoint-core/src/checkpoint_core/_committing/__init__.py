"""From judged objects to the next checkpoint, put in force as one atomic step."""
