"""The languages of the report: one catalogue of every text, and the names of the dictionary in other languages.

Belongs here: catalogues (one .po file a language), saying a text in the language of a page, names in a language.
Does not: which texts there are (templates and the modules that make sentences), the member's page (member/page/words).
"""
