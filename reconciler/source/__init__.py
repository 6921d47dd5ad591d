"""SHELL: git commits, folders and the shipped templates become snapshots; the only home of GitPython."""
