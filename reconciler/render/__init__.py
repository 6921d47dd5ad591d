"""From manifests and templates to desired profiles: a pure function of revision, capability and time."""
