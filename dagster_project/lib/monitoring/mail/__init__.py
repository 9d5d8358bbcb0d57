"""Messages to communities: what is due, late, received, to be mended, accepted; at most one a day to an address.

Belongs here: contacts, occasions, words and sending.
Does not: deadlines themselves (freshness.py), receipts, opening stores (cli/serve.py).
"""
