"""Events and objects for a person or a pipe; the only folder that prints."""
