"""Jobs: the store, which is the truth of what is to be done, by whom, and what is done."""
