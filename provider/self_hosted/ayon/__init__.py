"""AYON: pipeline platform for film and animation. Tried against server 1.16.0.

https://docs.ayon.dev
"""
