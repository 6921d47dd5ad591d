"""What outlives the process: documents, revisions and an append-only history, in SQLite or PostgreSQL."""
