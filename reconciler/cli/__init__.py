"""The composition root: the only place that joins shells, prints, and ends with an exit code."""
