"""Douyin: joins the rooms below into a Site."""
