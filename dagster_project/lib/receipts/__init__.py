"""What a member learns of its folder, and a director of a release.

Belongs here: receipts as data and as pages, marked copies, what a submission or a release changed, in words.
Does not: rules, findings, figures; everything told was found in another room.
"""
