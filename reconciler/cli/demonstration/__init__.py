"""The demonstration: a repository, a controller in a process of its own, 24 simulated stations, and six acts."""
