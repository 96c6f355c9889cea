"""Who may deploy a stack, and with which rights: plain data, joined together in __main__.py."""
