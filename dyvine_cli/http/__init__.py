"""The one door to the network: API client, media reader, connect-to, address rules."""
