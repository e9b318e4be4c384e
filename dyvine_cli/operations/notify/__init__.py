"""What a run tells those who do not watch it: messages to people, a signed webhook, commands of the person's own."""
