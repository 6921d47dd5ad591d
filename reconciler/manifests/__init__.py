"""DESIRED, as people write it: a snapshot of files in, one resolved fleet out, or every error at once with its place.

Called by the command line and the controller; knows nothing of git, of stations or of OCPP messages.
"""
