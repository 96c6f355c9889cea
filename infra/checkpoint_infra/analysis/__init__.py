"""What analysts find in Athena: the tables, and a workgroup with the usual questions."""
