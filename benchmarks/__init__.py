"""Side-by-side measurements, run by `make bench`; never tests, since the machine that runs them is shared and noisy."""
