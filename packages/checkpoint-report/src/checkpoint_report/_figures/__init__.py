"""The numbers of a report, from the answers to queries. Small counts end here."""
