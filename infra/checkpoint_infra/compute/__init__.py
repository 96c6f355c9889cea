"""What runs: the function with its layers and network, its schedule, and where failures go."""
