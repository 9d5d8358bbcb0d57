"""What lies where: the drop bucket, the ledger of what was seen, the lake.

Belongs here: listing, identity of submissions, plans, the ledger, kept rows and bytes, rights to the bucket.
Does not: reading files, or any rule about their content.
"""
