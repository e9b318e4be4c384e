"""Sources kept up to date for years: what is listed of each, what failed and when it is tried again, what is gone."""
