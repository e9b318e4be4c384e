"""What a person does with the archive itself: look into it, verify, repair and rebuild it, forget and ignore posts."""
