"""Desired against reported: what to change, why, in which order, and what it costs. Pure; it sends nothing."""
