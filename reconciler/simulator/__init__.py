"""Simulated charging stations: a pure station model, and the shell that runs thousands of them over real WebSockets.

`station` and `desk` are the model's front doors, `fleet` the shell's. Everything but `fleet` and `connection` is pure:
time and chance come in as values.
"""
