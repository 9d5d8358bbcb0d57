"""From a bucket's files to accepted rows, findings and receipts.

Belongs here: listing, ledger, reading, layouts, cells, labels, checks and receipts, in that order of flow.
Does not: what holds across communities' figures (dbt), or any judgement about trends (analysis).
"""
