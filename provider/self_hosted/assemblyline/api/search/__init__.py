"""Search of any index, and Lucene queries."""
