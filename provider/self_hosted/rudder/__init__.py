"""Rudder (rudder.io, not RudderStack): configuration management. Supports API versions 21 to 24 (Rudder 9 and 10).

https://docs.rudder.io/api
"""
