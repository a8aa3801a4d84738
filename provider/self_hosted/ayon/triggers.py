"""Event triggers of AYON: none so far. The waits of its sensors are in `waits.py`."""
