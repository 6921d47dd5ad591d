"""What every test stands on."""

from hypothesis import settings

# A busy machine is not a failing law: examples are bounded by number, not by time.
settings.register_profile("steady", deadline=None)
settings.load_profile("steady")
