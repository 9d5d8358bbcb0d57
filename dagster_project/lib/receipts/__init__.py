"""What a member learns of its folder.

Belongs here: receipts as data and as pages, marked copies, what a submission changed and its words.
Does not: rules, findings, figures; everything told was found in another room.
"""
