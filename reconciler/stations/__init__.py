"""SHELL: the WebSockets of stations: it accepts, authenticates, carries out commands and reports events.

It decides nothing about profiles: commands come in, events go out, and one station never notices another.
"""
