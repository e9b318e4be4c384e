"""What was listed, saved, uploaded and failed."""
