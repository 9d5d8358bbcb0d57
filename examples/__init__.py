"""The example network: seventy invented communities and the yearly files they would have sent.

Belongs here: the seeded generator, its stated distributions, and the description of its foreign formats.
Does not: anything the warehouse needs to run, or anything about real places, people or organizations.
"""
