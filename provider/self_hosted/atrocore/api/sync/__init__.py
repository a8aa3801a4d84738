"""A sync of rows with records: `plans` computes the changes, `batches` applies them."""
