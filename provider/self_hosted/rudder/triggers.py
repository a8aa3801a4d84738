"""Event triggers of Rudder: none so far. The waits of its operators and sensors are in `waits.py`."""
