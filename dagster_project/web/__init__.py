"""The member's page as a web application.

Belongs here: requests, answers, uploads, and the processes that check them.
Does not: any rule (lib/), arguments (cli/).
"""
