"""The platforms, each a folder of the same shape."""
