"""Keep what is published on Douyin and TikTok."""
