"""Retrohunts: YARA rules that run on the files the server still has."""
