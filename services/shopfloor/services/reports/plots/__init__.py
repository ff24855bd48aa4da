"""The pictures of a report, one module for each kind, made of the document's numbers."""
