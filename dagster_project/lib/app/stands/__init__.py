"""What stands, and whether there is anything to do: asked by every command and every look before anything is loaded.

Belongs here: the bucket, what was built and released last, what is public, frozen cycles as files.
Does not: any step of a job (pipeline.py, public.py), or anything that needs an engine, pages or figures.
"""
