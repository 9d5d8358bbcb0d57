"""The command line, one module a family of commands.

Belongs here: arguments, exit codes, output, one line and a hint for each error.
Does not: any work of its own (lib).
"""
