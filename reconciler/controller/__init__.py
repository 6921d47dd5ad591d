"""The only scheduler: a pure `step(world, event, now)`, and the shell that turns events into steps and calls."""
