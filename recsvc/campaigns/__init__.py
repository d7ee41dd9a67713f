"""Win-back campaigns: whom to contact, with which offer, where and when."""
