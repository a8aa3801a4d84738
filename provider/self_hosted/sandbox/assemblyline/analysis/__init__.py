"""The simulated analysis of files, and its results as the API returns them."""
