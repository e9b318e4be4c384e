"""TikTok, as its web page www.tiktok.com shows it."""
