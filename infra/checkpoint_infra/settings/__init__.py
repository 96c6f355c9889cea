"""What a stack is told: every setting, how it is read, and what is refused."""
