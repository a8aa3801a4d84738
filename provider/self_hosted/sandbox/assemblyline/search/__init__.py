"""Search of documents: Lucene queries, fields, sorting, facets and histograms.

indexes.py        the indexes of the real server and their fields
fields.py         types of fields
documents.py      values and parts of documents
query.py          compilation of Lucene queries
syntax.py         parsing of Lucene queries
luqum_parser.py   the parser of the library luqum
matchers.py       comparison of a field with a part of a query
values.py         comparison of values by type
engine.py         searches with filters, sorting and paging
facets.py         facets, statistics and groups
histograms.py     histograms
"""
