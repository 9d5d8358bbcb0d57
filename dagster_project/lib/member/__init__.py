"""What a member does before it submits.

Belongs here: the check offline, the template and what it is filled with, proposals for labels.
Does not: any rule of its own: the very code of intake is called.
"""
