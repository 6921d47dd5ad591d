"""The vocabulary on which everything is computed: power over time, profiles, what a station can take.

Every other package speaks these words; this one knows nothing of git, manifests, wires or time's passing.
"""
