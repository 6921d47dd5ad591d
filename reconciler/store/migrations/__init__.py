"""How the tables came to be: one module per version, run by Alembic."""
