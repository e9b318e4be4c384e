"""What a person can ask for; every door calls these."""
