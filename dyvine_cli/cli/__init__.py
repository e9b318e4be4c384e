"""The command line: options in, one operation out."""
