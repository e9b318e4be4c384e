"""Both platforms in small, on the loopback; it imports nothing of the rest of the package."""
