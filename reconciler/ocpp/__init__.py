"""The wire, sans I/O: frames, the session of either end, one module per dialect, the judge of payloads.

`stations` and `simulator` move its bytes; the command line shows its payloads. It opens nothing and waits for nothing.
"""
