"""AYON: pipeline platform for film and animation. Tested with server 1.16.0.

https://docs.ayon.dev
"""
