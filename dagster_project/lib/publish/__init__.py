"""Publishing: from the finished marts to the files that readers open.

Belongs here: the release folder, its manifest, the report's pages, words and charts.
Does not: compute a figure or decide a status; everything published was stored in a mart first.
"""
