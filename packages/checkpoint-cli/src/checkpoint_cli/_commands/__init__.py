"""The commands as they are typed: a module for each, with its options and its help.

None of them loads more than that takes; what a command does is in the module of its name in
`_execution`, which the command imports when it is called.
"""
