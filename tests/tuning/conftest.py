"""Properties of searches are checked without a deadline: what they load at first takes its time."""

from hypothesis import settings

settings.register_profile("patient", deadline=None)
settings.load_profile("patient")
