"""Tests, benchmarks and checks; nothing here is installed."""

import os

# Read once, when OpenMP is first loaded: threads that wait and spin cost tenfold as soon as tests run side by side.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
