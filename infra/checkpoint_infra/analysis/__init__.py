"""What analysts find in Athena: the table, and a workgroup with the usual questions."""
