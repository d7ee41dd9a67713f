"""Who is held out and who is not, and what that says about a campaign."""
