"""Make what is deployed: the function's archive, its three layers, and the manifest of both."""
