"""The versions of the tables, oldest first; one that has been released is never changed."""
