"""Moves bytes from addresses to whole files; knows no sites and no posts."""
