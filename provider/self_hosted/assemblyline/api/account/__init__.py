"""The user's account and settings."""
